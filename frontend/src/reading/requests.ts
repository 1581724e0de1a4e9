/** Requests for what the model computes. */
import { call, client, unwrap } from "@/base/client";
import { ApiError } from "@/base/errors";
import { isSameModel } from "@/model/identity";
import { withLosslessText, withLosslessTexts } from "@/model/losslessTexts";
import type { ModelIdentity } from "@/model/timeline";
import type {
  AttentionRequest,
  AttentionResponse,
  AttributionRequest,
  AttributionResponse,
  LensReadRequest,
  LensReadResponse,
} from "@/types/schemas";

/** Read-outs of what `model` has computed; those of another one are refused. */
export async function fetchLens(
  body: LensReadRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<LensReadResponse> {
  const answer = unwrap(await call(() => client.POST("/api/lens", { body, signal })));
  return withLosslessTexts(ofModel(answer, model));
}

/** The field of a request that asks for half layers as well. */
export const halfLayers = (hasHalf: boolean): Pick<LensReadRequest, "half_layers"> =>
  hasHalf ? { half_layers: true } : {};

/** Parts of a logit of `model`; those of another one are refused. */
export async function fetchAttribution(
  body: AttributionRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<AttributionResponse> {
  const answer = ofModel(unwrap(await call(() => client.POST("/api/attribution", { body, signal }))), model);
  return {
    ...answer,
    target: withLosslessText(answer.target),
    foil: answer.foil === null ? null : withLosslessText(answer.foil),
  };
}

/** What a token of `model` reads; rows of another one are refused. */
export async function fetchAttention(
  body: AttentionRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<AttentionResponse> {
  const answer = ofModel(unwrap(await call(() => client.POST("/api/attention", { body, signal }))), model);
  return {
    ...answer,
    target: answer.target === null ? null : withLosslessText(answer.target),
    foil: answer.foil === null ? null : withLosslessText(answer.foil),
  };
}

/** The server may run another model before the page has noticed. */
export function ofModel<T extends { readonly model_identity: ModelIdentity }>(
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
