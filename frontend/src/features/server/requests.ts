/** What the server says of itself and of its model. */
import { call, client, unwrap } from "@/base/client";
import { errorFromBody } from "@/base/errors";
import type { Health, ModelInfo } from "@/types/schemas";

/** Health is an answer with status 503 as well: it then says what is waited for. */
export async function fetchHealth(signal: AbortSignal): Promise<Health> {
  const { data, error, response } = await call(() => client.GET("/api/health", { signal }));
  const health: unknown = data ?? error;
  if (!isHealth(health)) throw errorFromBody(health, response);
  return health;
}

export async function fetchModelInfo(signal: AbortSignal): Promise<ModelInfo> {
  return unwrap(await call(() => client.GET("/api/model_info", { signal })));
}

/** Fails where the server refuses this page. Health answers everyone, and this needs no model. */
export async function checkAccess(signal: AbortSignal): Promise<true> {
  unwrap(await call(() => client.GET("/api/conversations", { params: { query: { limit: 1 } }, signal })));
  return true;
}

function isHealth(value: unknown): value is Health {
  return typeof value === "object" && value !== null && "status" in value && "queue" in value;
}
