import { useMemo } from "react";
import { OutlinedCells } from "@/charts/heatmap/cellLooks";
import { usePins } from "@/features/pins/pinsContext";
import type { LensInUse } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import { cellTextOfText } from "@/model/tokens";
import { type TimelineRanks, useTimelineRanks } from "@/reading/ranks";
import type { OutlineChoice } from "./ColourControls";

interface OutlineRequest {
  readonly timeline: Timeline;
  readonly lens: LensInUse;
  readonly layers: readonly number[];
  /** The token that was chosen; it counts only while it is pinned. */
  readonly tokenId: number | null;
  readonly rank: number;
}

export interface Outline {
  /** The pinned tokens. */
  readonly choices: readonly OutlineChoice[];
  readonly chosen: OutlineChoice | null;
  readonly ranks: TimelineRanks;
  /** Null while no token is chosen. */
  readonly outlined: OutlinedCells | null;
}

/** Where a pinned token is among the first predictions, read for the whole conversation. */
export function useOutline({ timeline, lens, layers, tokenId, rank }: OutlineRequest): Outline {
  const { pins } = usePins();
  const pinned = pins.flatMap((pin) => pin.tokens);
  const chosenId = pinned.some((token) => token.id === tokenId) ? tokenId : null;
  const ranks = useTimelineRanks(timeline, lens, chosenId);
  const { columns, version } = ranks;
  const nPositions = timeline.tokens.length;
  const { cells } = useMemo(
    () => ({
      cells: columns === null ? null : new OutlinedCells(columns, nPositions, layers, rank),
      version,
    }),
    [columns, version, nPositions, layers, rank],
  );
  const choices = pinned.map(({ id, text }): OutlineChoice => ({
    id,
    text: text === null ? "token" : cellTextOfText(text),
  }));
  return { choices, chosen: choices.find(({ id }) => id === chosenId) ?? null, ranks, outlined: cells };
}
