import { call, client, unwrap } from "@/base/client";
import { withLosslessTexts } from "@/model/losslessTexts";
import type { ModelIdentity } from "@/model/timeline";
import { ofModel } from "@/reading/requests";
import type { CompareRequest } from "@/types/schemas";
import type { CompareResponse } from "./pairColumns";

export async function fetchComparison(
  body: CompareRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<CompareResponse> {
  const answer = unwrap(await call(() => client.POST("/api/compare", { body, signal })));
  return withLosslessTexts(ofModel(answer, model));
}
