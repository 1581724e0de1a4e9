/** The typed client of the server's API. Types come from its OpenAPI file. */
import createClient from "openapi-fetch";
import type { paths } from "@/types/api";
import { ApiError, errorFromBody, isAbort, networkFailure } from "./errors";
import { tokenHeaders } from "./token";

/** Names this tab to the server's queue, so that one tab cannot crowd out the others. */
const CLIENT_ID = newClientId();

/** Sent with every request: which tab it is, and the token where the server asks for one. */
export const ownHeaders = (): Record<string, string> => ({ "X-Client-Id": CLIENT_ID, ...tokenHeaders() });

function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What waits for the model, which the server itself ends after ten minutes by default. */
const MODEL_PATHS = [
  "/api/lens",
  "/api/compare",
  "/api/examples",
  "/api/attribution",
  "/api/attention",
  "/api/patch",
];
const MODEL_LIMIT_MS = 11 * 60_000;
const LIMIT_MS = 60_000;
/** Answered without the model: a server that takes longer is as good as away. */
const HEALTH_LIMIT_MS = 15_000;

const limitOf = (path: string): number =>
  path === "/api/health" ? HEALTH_LIMIT_MS : MODEL_PATHS.includes(path) ? MODEL_LIMIT_MS : LIMIT_MS;

/** So that a request that hangs ends, and what waits for it goes on. */
function withLimit(request: Request): Request {
  const limit = AbortSignal.timeout(limitOf(new URL(request.url).pathname));
  return new Request(request, { signal: AbortSignal.any([request.signal, limit]) });
}

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => {
    for (const [name, value] of Object.entries(ownHeaders())) request.headers.set(name, value);
    // Looked up at each call, so that tests can replace it.
    return globalThis.fetch(withLimit(request));
  },
});

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

export function unwrap<T>(answer: Answer<T>): T {
  if (answer.data !== undefined) return answer.data;
  throw errorFromBody(answer.error, answer.response);
}

export async function call<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (isAbort(error)) throw error;
    if (error instanceof SyntaxError) {
      throw new ApiError({ code: "bad_answer", message: "The server's answer could not be read." });
    }
    throw networkFailure(error);
  }
}
