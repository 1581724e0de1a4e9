import { call, client, unwrap } from "@/base/client";
import type { ModelInfo, OpeningExample } from "@/types/schemas";

/** Measured by the server at the first request, which takes it some seconds. */
export async function fetchExamples(signal: AbortSignal): Promise<ModelInfo["examples"]> {
  return unwrap(await call(() => client.GET("/api/examples", { signal }))).examples;
}

/** The example for a first visit; null unless the server's model is the one that computed it. */
export async function fetchOpening(signal: AbortSignal): Promise<OpeningExample | null> {
  return unwrap(await call(() => client.GET("/api/examples/opening", { signal }))).opening;
}
