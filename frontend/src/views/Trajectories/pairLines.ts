/** The lines of B beside those of A: the same tokens, read in B at the aligned position. */
import { useMemo } from "react";
import { align, columnOf } from "@/features/pair/alignment";
import { isChosen, usePair } from "@/features/pair/pair";
import { nameOfB, usePairSide } from "@/features/pair/pairSide";
import { useServer } from "@/features/server/server";
import type { Pin } from "@/features/pins/pins";
import { type LensInUse, lensInUse } from "@/model/lenses";
import type { Timeline, Token } from "@/model/timeline";
import { readability } from "@/reading/readability";
import { type Series, seriesOf } from "./series";
import { useCurves } from "./trajectories";

export interface PairLines {
  readonly name: string;
  readonly tokens: readonly Token[];
  /** Into B; null where A's token is unaligned. */
  readonly position: number | null;
  readonly series: readonly Series[];
}

/** The slot of a pin that stands for the line of A’s actual token. */
export const OWN_SLOT = -1;

const NOTHING: readonly Token[] = [];

/** Null while no pair is set, B is not read, or B is A through the same lens. */
export function usePairLines(
  timeline: Timeline,
  position: number,
  pins: readonly Pin[],
  { kind: lensOfA, hasHalf }: LensInUse,
): PairLines | null {
  const { model } = useServer();
  const { vs, lensB } = usePair(timeline.conversationId);
  const isSet = isChosen(vs);
  const pair = usePairSide(timeline, isSet);
  const { side } = pair;
  const kind = lensInUse(lensB ?? lensOfA, model?.lenses ?? []);
  const isDrawn =
    isSet && side !== null && timeline.status === "settled" && (vs.kind !== "same" || kind !== lensOfA);
  const a = isDrawn ? timeline.tokens : NOTHING;
  const b = isDrawn ? side.tokens : NOTHING;
  const alignment = useMemo(
    () =>
      align(
        a.map(({ id }) => id),
        b.map(({ id }) => id),
      ),
    [a, b],
  );
  const column = columnOf(alignment, position);
  const place = column === null ? null : (alignment.columns[column]?.b ?? null);
  const { curveOf } = useCurves(
    {
      source: side?.source ?? { token_ids: [] },
      model: side?.model ?? null,
      tokens: b,
      readable: readability(timeline),
    },
    place === null
      ? []
      : pins.flatMap((pin) => pin.tokens.map(({ id }) => ({ tokenId: id, position: place }))),
    // Only the logit lens has half layers; another lens of B is drawn at the whole ones.
    { kind, hasHalf: hasHalf && kind === lensOfA },
  );
  if (!isDrawn) return null;
  return {
    name: nameOfB(pair, side.title) ?? "",
    tokens: b,
    position: place,
    series:
      place === null
        ? []
        : seriesOf(pins, [{ slot: 0, position: place }], b, curveOf).map((each) => ({
            ...each,
            slot: each.slot === OWN_SLOT ? "actual" : each.slot,
            key: `B ${each.key}`,
            side: "B",
          })),
  };
}
