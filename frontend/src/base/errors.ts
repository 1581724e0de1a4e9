import type { components } from "@/types/api";

type ErrorBody = components["schemas"]["ErrorBody"];

/** A failure to show: the server's typed error, or one of the four that only the page can see. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The server's stable code, or `server_unreachable`, `no_answer`, `stream_cut`, `bad_answer`. */
  readonly code: string;
  readonly hint: string | null;
  readonly param: string | null;
  readonly requestId: string | null;
  /** When the server says that it is worth asking again; 0 where it does not. */
  readonly retryAfterMs: number;

  constructor(body: Pick<ErrorBody, "code" | "message"> & Partial<ErrorBody>, retryAfterMs = 0) {
    super(body.message);
    this.code = body.code;
    this.hint = body.hint ?? null;
    this.param = body.param ?? null;
    this.requestId = body.request_id ?? null;
    this.retryAfterMs = retryAfterMs;
  }
}

export function serverUnreachable(): ApiError {
  return new ApiError({
    code: "server_unreachable",
    message: "The server does not answer.",
    hint: "Check that it still runs in its terminal; the page reconnects by itself.",
  });
}

function noAnswer(): ApiError {
  return new ApiError({
    code: "no_answer",
    message: "The server took the request and gave no answer in time.",
    hint: "It may be held up by other work; its terminal says more.",
  });
}

export function streamCut(): ApiError {
  return new ApiError({
    code: "stream_cut",
    message: "The connection ended in the middle of the reply.",
    hint: "What was sent until then is kept.",
  });
}

/** The typed error in an answer's body; `bad_answer` when something else than our server wrote it. */
export function errorFromBody(body: unknown, { status, headers }: Response): ApiError {
  if (typeof body === "object" && body !== null && "error" in body && isErrorBody(body.error)) {
    return errorOfServer(body.error, 1000 * Number(headers.get("Retry-After")));
  }
  // A development or reverse proxy answers 502 to 504 by itself when the server is gone.
  if (status >= 502 && status <= 504) return serverUnreachable();
  return new ApiError({
    code: "bad_answer",
    message: `The server answered with status ${status} and no explanation.`,
    hint: "Its log says more.",
  });
}

/** The server's hints are written for scripts too; the page has its own words for these. */
const OWN_HINTS: Readonly<Record<string, string>> = {
  conversation_not_found: "It was deleted, or it is of another server. The list has those that there are.",
  model_loading: "The page goes on by itself as soon as the model is ready.",
};
const IS_FOR_SCRIPTS = /\/api\/|\b[a-z]+_[a-z_]+\b/;

export const errorOfServer = (error: ErrorBody, retryAfterMs = 0): ApiError =>
  new ApiError({ ...error, hint: hintForPage(error) }, retryAfterMs);

function hintForPage({ code, hint }: ErrorBody): string | null {
  return OWN_HINTS[code] ?? (hint !== null && IS_FOR_SCRIPTS.test(hint) ? null : hint);
}

/** A failure of a request as an ApiError. Everything else is a defect of the page, and thrown on. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}

/** Whatever fetch itself threw, as an ApiError. An abort is not one and must be handled before. */
export function networkFailure(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // fetch reports every failure of the network as a TypeError, with a message that differs by browser.
  if (error instanceof TypeError) return serverUnreachable();
  if (isNamed(error, "TimeoutError")) return noAnswer();
  throw error;
}

/** Codes of a server that is away, or not ready yet, and may be so again. */
const AWAY: readonly string[] = ["server_unreachable", "model_loading", "draining"];

export const isAway = ({ code }: ApiError): boolean => AWAY.includes(code);

export const isAbort = (error: unknown): boolean => isNamed(error, "AbortError");

// By name: the exceptions of another realm are no instances of this one's classes.
const isNamed = (error: unknown, name: string): boolean =>
  typeof error === "object" && error !== null && "name" in error && error.name === name;

function isErrorBody(value: unknown): value is ErrorBody {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "message" in value &&
    typeof value.message === "string"
  );
}
