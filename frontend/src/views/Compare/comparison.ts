/** From what is chosen, and what there is, to what is compared. */
import type { Branch } from "@/features/library/conversations";
import { layerLabel } from "@/model/layers";
import type { LensKind } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import type { CompareChoices, OtherKind, Rows } from "./choices";
import type { OtherRequest, OtherSide, OtherText } from "./otherSide";

/** A branch of the conversation that can stand beside the one on the page. */
export interface OtherBranch {
  readonly id: string;
  readonly label: string;
}

/** All but the one on the page, the last written first. */
export function otherBranches(branches: readonly Branch[], currentId: string | null): OtherBranch[] {
  return branches
    .map((branch, i) => ({ branch, number: i + 1 }))
    .filter(({ branch }) => branch.id !== currentId)
    .toSorted((a, b) => b.branch.updated_at_ms - a.branch.updated_at_ms)
    .map(({ branch, number }) => ({
      id: branch.id,
      label: `${number} · ${branch.name ?? (branch.preview.trim() || "(no text)")}${branch.from_index === null ? "" : ` · from ${branch.from_index}`}`,
    }));
}

/** What stands beside the conversation where nothing was chosen: another branch if there is one. */
export const otherKind = (choices: CompareChoices, branches: readonly OtherBranch[]): OtherKind =>
  choices.other ?? (branches.length > 0 ? "branch" : "prompt");

/** The branch that was chosen, while there is one; else the last written. */
export const chosenBranch = (choices: CompareChoices, branches: readonly OtherBranch[]): OtherBranch | null =>
  branches.find(({ id }) => id === choices.branchId) ?? branches[0] ?? null;

/** Null where something is still to be chosen or typed. */
export function otherRequest(
  choices: CompareChoices,
  branches: readonly OtherBranch[],
  asked: OtherText | null,
): OtherRequest | null {
  switch (otherKind(choices, branches)) {
    case "branch": {
      const branch = chosenBranch(choices, branches);
      return branch === null ? null : { kind: "conversation", id: branch.id };
    }
    case "saved":
      return choices.savedId === null ? null : { kind: "conversation", id: choices.savedId };
    case "prompt":
      return asked === null ? null : { kind: "text", text: asked };
    case "same":
      return { kind: "same" };
  }
}

/** A text and then the conversation's own reply, so that both sides are to predict the same words. */
export function withReplyOf(side: OtherSide, { tokens, turns }: Timeline): OtherSide {
  const reply = tokens.slice(turns.at(-1)?.replyStart ?? tokens.length);
  const all = [...side.tokens, ...reply].map((token, index) => ({
    ...token,
    index,
    // How it was predicted after the conversation's own prompt is not how it is after this one.
    logprob_nats: null,
    rank: null,
    entropy_nats: null,
    lens: null,
  }));
  return { source: { token_ids: all.map(({ id }) => id) }, tokens: all, model: side.model };
}

/** A conversation beside itself differs only where other layers or another lens are read. */
export const rowsInUse = (
  choices: CompareChoices,
  kind: OtherKind,
  lenses: { readonly a: LensKind; readonly b: LensKind },
): Rows => choices.rows ?? (kind === "same" && lenses.a === lenses.b ? "fixed" : "each");

/** Pairs of layers, of A and of B, the embedding first. */
export function layerPairs(
  rows: Rows,
  choices: Pick<CompareChoices, "layerA" | "layerB">,
  nLayers: number,
): [number, number][] {
  const bounded = (layer: number | null): number => Math.min(layer ?? nLayers, nLayers);
  const all = Array.from({ length: nLayers + 1 }, (_, layer) => layer);
  switch (rows) {
    case "each":
      return all.map((layer) => [layer, layer]);
    case "fixed":
      return all.map((layer) => [layer, bounded(choices.layerB)]);
    case "one":
      return [[bounded(choices.layerA), bounded(choices.layerB)]];
  }
}

/** What stands before a row: the layer, or the numbers of both where they may differ. */
export const rowLabel = ([a, b]: readonly [number, number], rows: Rows): string =>
  rows === "each" ? layerLabel(a) : `${a} | ${b}`;
