/** Parts of a block that are taken away at one token, and what that does to a logit. */
import type { Intervention } from "@/model/timeline";
import type { TargetScore } from "@/reading/underInterventions";

/** `edge`: what one head reads of one earlier token. */
export type AblatedPart = "block" | "attn" | "mlp" | "head" | "edge";
export type AblationKind = "zero" | "mean" | "remove";

interface Ablated {
  readonly part: AblatedPart;
  readonly kind: AblationKind;
  readonly block: number;
  readonly head: number | null;
  readonly position: number;
  /** Of an edge: the token that is read. */
  readonly source: number;
}

export function ablated({ part, kind, block, head, position, source }: Ablated): Intervention[] {
  const heads = head === null ? null : [head];
  const at = { layers: [block], positions: [position] };
  if (part === "edge") {
    return [{ site: "head", heads, ...at, op: { kind: "knock_out", sources: [source] } }];
  }
  const op = { kind: kind === "mean" ? "mean" : "zero" } as const;
  return (part === "block" ? (["attn", "mlp"] as const) : [part]).map((site) => ({
    site,
    heads: site === "head" ? heads : null,
    ...at,
    op,
  }));
}

/** ln of the two probabilities' ratio, which is the difference of the logits; of one target its log-probability. */
export function logitsOf([target, foil]: readonly TargetScore[]): number {
  const own = Math.log(target?.probability ?? Number.NaN);
  return foil === undefined ? own : own - Math.log(foil.probability);
}
