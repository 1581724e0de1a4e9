/** Parts of a block that are taken away at one token, and what that does to a logit. */
import type { Intervention } from "@/model/timeline";
import type { TargetScore } from "@/reading/underInterventions";

/** `edge`: what one head reads of one earlier token. */
export type AblatedPart = "block" | "attn" | "mlp" | "head" | "edge";

/** What stands in the place of what a part writes; of an edge, that it is removed. */
export type Replacement =
  | { readonly kind: "zero" | "mean" | "remove" }
  /** What the part writes at the last of these tokens, those of another text. */
  | { readonly kind: "resample"; readonly ids: readonly number[] };

interface Ablated {
  readonly part: AblatedPart;
  readonly by: Replacement;
  readonly block: number;
  readonly head: number | null;
  readonly position: number;
  /** Of an edge: the token that is read. */
  readonly source: number;
}

export function ablated({ part, by, block, head, position, source }: Ablated): Intervention[] {
  const heads = head === null ? null : [head];
  const at = { layers: [block], positions: [position] };
  if (part === "edge") {
    return [{ site: "head", heads, ...at, op: { kind: "knock_out", sources: [source] } }];
  }
  return (part === "block" ? (["attn", "mlp"] as const) : [part]).map((site) => ({
    site,
    heads: site === "head" ? heads : null,
    ...at,
    op: operation(by),
  }));
}

function operation(by: Replacement): Intervention["op"] {
  if (by.kind !== "resample") return { kind: by.kind === "mean" ? "mean" : "zero" };
  return { kind: "replace", from: { token_ids: [...by.ids] }, positions: [by.ids.length - 1] };
}

/** ln of the two probabilities' ratio, which is the difference of the logits; of one target its log-probability. */
export function logitsOf([target, foil]: readonly TargetScore[]): number {
  const own = Math.log(target?.probability ?? Number.NaN);
  return foil === undefined ? own : own - Math.log(foil.probability);
}
