/** The cells of a conversation's heatmap: a layer's prediction at a position each. */
import type { CellSource } from "@/charts/heatmap/cellLooks";
import type { ColumnHeads } from "@/charts/heatmap/paint";
import type { NotedPlaces } from "@/model/notes";
import type { LensColumns } from "@/reading/columns";
import type { Metric } from "./metrics";

/** Which cells are highlighted: none, those whose top-1 is that of the output, or the actual next token. */
export const ANSWERS = ["off", "output", "actual"] as const;
export type Answer = (typeof ANSWERS)[number];

export interface LensCellsRequest {
  readonly columns: LensColumns;
  readonly metric: Metric;
  readonly answer: Answer;
  /** Of the conversation: as many as there are positions. */
  readonly tokenIds: readonly number[];
}

/** The text is the top-1 prediction; the corner mark says that it is the actual next token. */
export function lensCells({ columns, metric, answer, tokenIds }: LensCellsRequest): CellSource {
  return {
    nPositions: tokenIds.length,
    isRead: (position) => columns.isRead(position),
    value: (position, layer) => metric.value(columns, position, layer),
    textId: (position, layer) => columns.topId(position, layer),
    isAnswer: (position, layer) => {
      const wanted = wantedId(columns, position, answer, tokenIds);
      return wanted !== null && columns.topId(position, layer) === wanted;
    },
    isMarked: (position, layer) => columns.topId(position, layer) === tokenIds[position + 1],
  };
}

/** The token whose cells are highlighted at a position. */
function wantedId(
  columns: LensColumns,
  position: number,
  answer: Answer,
  tokenIds: readonly number[],
): number | null {
  switch (answer) {
    case "off":
      return null;
    case "output":
      return columns.topId(position, columns.last);
    case "actual":
      return tokenIds[position + 1] ?? null;
  }
}

/** A column is read at its token and predicts the one after it. */
export function lensHeads(tokenTexts: readonly string[], noted?: NotedPlaces): ColumnHeads {
  const markOf = (index: number) => (noted?.hasToken(index) === true ? "noted" : null);
  return {
    names: ["index", "read at", "predicts"],
    lines: (position) => [
      { text: String(position), isQuiet: true, mark: null },
      { text: tokenTexts[position] ?? "", isQuiet: false, mark: markOf(position) },
      { text: tokenTexts[position + 1] ?? "–", isQuiet: true, mark: markOf(position + 1) },
    ],
    number: (position) => position,
  };
}
