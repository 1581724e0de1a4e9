import { call, client, unwrap } from "@/base/client";
import type { ModelInfo } from "@/types/schemas";

/** Measured by the server at the first request, which takes it some seconds. */
export async function fetchExamples(signal: AbortSignal): Promise<ModelInfo["examples"]> {
  return unwrap(await call(() => client.GET("/api/examples", { signal }))).examples;
}
