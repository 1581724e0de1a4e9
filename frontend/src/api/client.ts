/** The typed client of the server's API. Types come from its OpenAPI file. */
import createClient from "openapi-fetch";
import { isSameModel } from "@/lib/identity";
import type { CompareResponse } from "@/lib/pairColumns";
import type { components, paths } from "@/types/api";
import type { ModelIdentity } from "@/types/timeline";
import { ApiError, errorFromBody, isAbort, networkFailure } from "./errors";
import { withLosslessMatches, withLosslessText, withLosslessTexts } from "./losslessTexts";

type Schemas = components["schemas"];
export type Health = Schemas["Health"];
export type ModelInfo = Schemas["ModelInfo"];
export type LensReadRequest = Schemas["LensReadRequest"];
export type LensReadResponse = Schemas["LensReadResponse"];
export type CompareRequest = Schemas["CompareRequest"];
export type TokenMatch = Schemas["TokenMatch"];
export type VocabularyToken = Schemas["VocabularyToken"];
export type TokenSearchResponse = Schemas["TokenSearchResponse"];

/** Tokens that a search shows at most. */
const MAX_MATCHES = 20;

/** Names this tab to the server's queue, so that one tab cannot crowd out the others. */
export const CLIENT_ID = newClientId();

function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What waits for the model, which the server itself ends after ten minutes by default. */
const MODEL_PATHS = ["/api/lens", "/api/compare", "/api/examples"];
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
  headers: { "X-Client-Id": CLIENT_ID },
  // Looked up at each call, so that tests can replace it.
  fetch: (request) => globalThis.fetch(withLimit(request)),
});

/** Health is an answer with status 503 as well: it then says what is waited for. */
export async function fetchHealth(signal: AbortSignal): Promise<Health> {
  const { data, error, response } = await call(() => client.GET("/api/health", { signal }));
  const health: unknown = data ?? error;
  if (!isHealth(health)) throw errorFromBody(health, response.status);
  return health;
}

export async function fetchModelInfo(signal: AbortSignal): Promise<ModelInfo> {
  return unwrap(await call(() => client.GET("/api/model_info", { signal })));
}

/** Measured by the server at the first request, which takes it some seconds. */
export async function fetchExamples(signal: AbortSignal): Promise<ModelInfo["examples"]> {
  return unwrap(await call(() => client.GET("/api/examples", { signal }))).examples;
}

/** Read-outs of what `model` has computed; those of another one are refused. */
export async function fetchLens(
  body: LensReadRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<LensReadResponse> {
  const answer = unwrap(await call(() => client.POST("/api/lens", { body, signal })));
  return withLosslessTexts(ofModel(answer, model));
}

export async function fetchComparison(
  body: CompareRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<CompareResponse> {
  const answer = unwrap(await call(() => client.POST("/api/compare", { body, signal })));
  return withLosslessTexts(ofModel(answer, model));
}

/** The server may run another model before the page has noticed. */
function ofModel<T extends { readonly model_identity: ModelIdentity }>(
  answer: T,
  model: ModelIdentity | null,
): T {
  if (isSameModel(answer.model_identity, model)) return answer;
  throw new ApiError({
    code: "model_mismatch",
    message: `The server runs ${answer.model_identity.name} by now, which is not the model that computed this.`,
    hint: "The page shows in a moment which model is needed.",
  });
}

export async function searchTokens(query: string, signal: AbortSignal): Promise<TokenSearchResponse> {
  const params = { query: { query, limit: MAX_MATCHES } };
  return withLosslessMatches(unwrap(await call(() => client.GET("/api/tokens", { params, signal }))));
}

/** What one id of the vocabulary stands for. */
export async function fetchToken(tokenId: number, signal: AbortSignal): Promise<VocabularyToken> {
  const params = { path: { token_id: tokenId } };
  return withLosslessText(unwrap(await call(() => client.GET("/api/tokens/{token_id}", { params, signal }))));
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

export function unwrap<T>(answer: Answer<T>): T {
  if (answer.data !== undefined) return answer.data;
  throw errorFromBody(answer.error, answer.response.status);
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

function isHealth(value: unknown): value is Health {
  return typeof value === "object" && value !== null && "status" in value && "queue" in value;
}
