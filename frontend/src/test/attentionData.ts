/** Made-up rows of attention: seeded, shaped as a model's, with a block that has none. Never part of the page. */
import type { Token } from "@/model/timeline";
import type { AttentionRequest, AttentionResponse } from "@/types/schemas";
import { MADE_UP, N_LAYERS, madeUpToken } from "./lensData";

export const N_HEADS = 3;
/** Mixes tokens in another way. */
export const WITHOUT_ATTENTION = 4;
const FOIL_ID = 1007;

/** In (0, 1], by its arguments alone. */
const noise = (...keys: readonly number[]): number =>
  (1 + Math.sin(keys.reduce((sum, key) => 7.3 * sum + key, 1))) / 2 + 1e-3;

/** What the server would answer to `request` on a timeline of these tokens. */
export function madeUpAttention(tokens: readonly Token[], request: AttentionRequest): AttentionResponse {
  const { position, kind = "weight", foil = "best", direction = "reads" } = request;
  const all = Array.from({ length: N_LAYERS }, (_, block) => block + 1);
  const asked = request.blocks ?? all;
  const blocks = asked.filter((block) => block !== WITHOUT_ATTENTION);
  const sources =
    direction === "reads"
      ? Array.from({ length: position + 1 }, (_, source) => source)
      : Array.from({ length: tokens.length - position }, (_, reader) => position + reader);
  const row = (block: number, head: number): number[] => {
    const parts = sources.map((source) => (source === 0 ? 3 * position : noise(block, head, source)));
    const sum = parts.reduce((one, other) => one + other, 0);
    return parts.map((part, source) => {
      if (kind === "weight" && direction === "reads") return part / sum;
      if (kind === "weight") return noise(block, head, source) / 2;
      return kind === "norm" ? 9 * noise(source, head, block) : noise(source, head, block) - 0.5;
    });
  };
  const target = tokens[position + 1]?.id ?? FOIL_ID + 1;
  return {
    model: MADE_UP.name,
    model_identity: MADE_UP,
    position,
    kind,
    direction,
    blocks,
    n_heads: N_HEADS,
    sources,
    values: blocks.map((block) => Array.from({ length: N_HEADS }, (_, head) => row(block, head))),
    sink: null,
    without_pattern: asked.filter((block) => block === WITHOUT_ATTENTION),
    target: kind === "logit" ? { ...madeUpToken(target), bytes: null } : null,
    foil_kind: kind !== "logit" ? null : typeof foil === "number" ? "token" : foil,
    foil: kind === "logit" && foil === "best" ? { ...madeUpToken(FOIL_ID), bytes: null } : null,
    computed_tokens: 1,
  };
}
