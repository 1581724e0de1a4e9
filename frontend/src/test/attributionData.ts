/** Made-up parts of a logit for tests: seeded, and they add up. Never part of the page. */
import type { Token } from "@/model/timeline";
import type {
  AttributionPart,
  AttributionRequest,
  AttributionResponse,
  WritesRequest,
  WritesResponse,
} from "@/types/schemas";
import { MADE_UP, N_LAYERS } from "./lensData";

export const N_HEADS = 3;

/** Amounts in [-1, 1) that depend only on the place. */
const amount = (...keys: readonly number[]): number => {
  let hash = 2166136261;
  for (const key of keys) hash = Math.imul(hash ^ (key + 0x9e3779b9), 16777619) ^ (hash >>> 13);
  return ((hash >>> 0) % 2001) / 1000 - 1;
};

interface Place {
  readonly block?: number;
  readonly head?: number | null;
  readonly source?: number;
  readonly neuron?: number;
}

function part(kind: AttributionPart["part"], contribution: number, place: Place = {}): AttributionPart {
  const { block = null, head = null, source = null, neuron = null } = place;
  const foil = contribution / 4;
  return { part: kind, block, head, source, neuron, target: contribution + foil, foil, contribution };
}

const headAmount = (position: number, block: number, head: number): number => amount(position, block, head);
const mlpAmount = (position: number, block: number): number => amount(position, block, 77);

/** Shares of a whole: the last one has what is left. */
const shares = (whole: number, count: number): number[] => {
  const all = Array.from({ length: count }, (_, i) => (whole * (i + 1)) / (count * 2));
  return all.map((each, i) => (i < count - 1 ? each : whole - all.slice(0, -1).reduce((a, b) => a + b, 0)));
};

function partsOf({
  unit,
  position,
  block: opened = null,
  head: asked = null,
  top_k: topK = 20,
}: AttributionRequest) {
  const parts: AttributionPart[] = [];
  if (unit === "source" && opened !== null) {
    const heads = Array.from({ length: N_HEADS }, (_, head) => headAmount(position, opened, head));
    const whole = asked === null ? heads.reduce((a, b) => a + b, 0) : (heads[asked] ?? 0);
    for (const [source, share] of shares(whole, position + 1).entries()) {
      parts.push(part("source", share, { block: opened, head: asked, source }));
    }
    parts.push(part("rest", 1));
    return parts;
  }
  parts.push(part("embed", amount(position)));
  for (let block = 1; block <= N_LAYERS; block += 1) {
    if (unit === "head") {
      for (let head = 0; head < N_HEADS; head += 1) {
        parts.push(part("head", headAmount(position, block, head), { block, head }));
      }
    } else {
      const heads = Array.from({ length: N_HEADS }, (_, head) => headAmount(position, block, head));
      parts.push(
        part(
          "attn",
          heads.reduce((a, b) => a + b, 0),
          { block },
        ),
      );
    }
    if (unit === "neuron" && block === opened) {
      const neurons = shares(mlpAmount(position, block) / 2, topK);
      for (const [i, share] of neurons.entries())
        parts.push(part("neuron", share, { block, neuron: 10 * i + 3 }));
      parts.push(part("rest", mlpAmount(position, block) / 2, { block }));
    } else parts.push(part("mlp", mlpAmount(position, block), { block }));
    parts.push(part("bias", 0.01 * block, { block }));
  }
  parts.push(part("bias", -0.25));
  return parts;
}

/** What the server would answer to `request` on a timeline of these tokens. */
export function madeUpAttribution(
  tokens: readonly Token[],
  request: AttributionRequest,
): AttributionResponse {
  const { position, unit = "component", foil = "best" } = request;
  const parts = partsOf({ ...request, unit });
  const next = tokens[position + 1];
  const sum = parts.reduce((total, { contribution }) => total + contribution, 0);
  const residue = 2e-6;
  return {
    model: MADE_UP.name,
    model_identity: MADE_UP,
    position,
    predicts_index: position + 1,
    target: { token_id: request.target ?? next?.id ?? 1001, text: next?.text ?? " The", bytes: null },
    foil_kind: typeof foil === "number" ? "token" : foil,
    foil:
      foil === "mean" || foil === "none"
        ? null
        : { token_id: foil === "best" ? 1044 : foil, text: " rival", bytes: null },
    unit,
    target_logit: 12,
    foil_logit: foil === "none" ? null : 12 - sum - residue,
    difference: sum + residue,
    parts,
    sum,
    residue,
    softcap: null,
    computed_tokens: 1,
  };
}

/** What the server would answer about the writes of a block. */
export function madeUpWrites({ position, block, top_k: topK = 10 }: WritesRequest): WritesResponse {
  const effects = (sign: number, key: number) =>
    Array.from({ length: topK }, (_, k) => ({
      token_id: 1000 * block + 100 * key + k,
      text: ` b${block}k${key}n${k}`,
      bytes: null,
      contribution: (sign * (topK - k)) / 8 + sign * 0.01 * block,
    }));
  return {
    model: MADE_UP.name,
    model_identity: MADE_UP,
    position,
    predicts_index: position + 1,
    block,
    writes: [
      { part: "attn", promoted: effects(1, 1), suppressed: effects(-1, 2) },
      { part: "mlp", promoted: effects(1, 3), suppressed: effects(-1, 4) },
    ],
    softcap: null,
    computed_tokens: 1,
  };
}
