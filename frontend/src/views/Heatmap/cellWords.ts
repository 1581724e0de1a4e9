/** A cell in words: for those who hear the grid, and for the card below it. */
import { type CellPlace, rowOf } from "@/charts/heatmap/geometry";
import type { Scene } from "@/charts/heatmap/paint";
import { formatProbability, formatRank } from "@/model/format";
import { type Note, layerOf, notesOn, onOneLine } from "@/model/notes";
import type { LensColumns } from "@/reading/columns";
import type { MoreNumber } from "./CellCard";
import { describeCell } from "./describe";
import type { useCells } from "./useCells";
import type { Outline } from "./useOutline";

interface ReadCells {
  readonly scene: Pick<Scene, "grid" | "looks">;
  readonly drawn: Pick<ReturnType<typeof useCells>, "tokenTexts" | "metric" | "answer">;
  readonly columns: LensColumns;
  readonly outline: Outline;
  readonly notes: readonly Note[];
}

export interface CellWords {
  /** What else there is to say of a cell, such as that it has a note. */
  readonly notesOf: (place: CellPlace) => string[];
  /** Numbers of it that not every cell has. */
  readonly moreOf: (place: CellPlace) => readonly MoreNumber[];
  /** All of it in one sentence. */
  readonly describe: (place: CellPlace) => string;
}

export function cellWords({ scene, drawn, columns, outline, notes }: ReadCells): CellWords {
  const { grid, looks } = scene;
  const { tokenTexts, metric, answer } = drawn;
  const { chosen, ranks } = outline;
  const notesOf = ({ position, layer }: CellPlace): string[] => {
    const row = rowOf(grid, layer) ?? 0;
    return [
      ...(looks.isAnswer(position, row)
        ? [answer === "actual" ? "the actual next token" : "final-layer top-1"]
        : []),
      ...(looks.isClipped(position, row) ? ["beyond the colour scale"] : []),
      ...notesOn(notes, position + 1)
        .filter((note) => layerOf(note) === layer)
        .map((note) => `note: ${onOneLine(note.text, 120)}`),
    ];
  };
  const changeAt = ({ position, layer }: CellPlace): string =>
    metric.format(metric.value(columns, position, layer));
  const placeOf = ({ position, layer }: CellPlace) => ranks.columns?.place(position, layer) ?? null;
  return {
    notesOf,
    moreOf: (place) => {
      const outlined = placeOf(place);
      return [
        ...(metric.isSigned ? [{ name: "change by this block, nats", value: changeAt(place) }] : []),
        ...(chosen === null
          ? []
          : [
              { name: `${chosen.text}: rank`, value: formatRank(outlined?.rank ?? null) },
              {
                name: `${chosen.text}: probability`,
                value: formatProbability(outlined?.probability ?? null),
              },
            ]),
      ];
    },
    describe: (place) => {
      const outlined = chosen === null ? null : placeOf(place);
      return describeCell(
        {
          position: place.position,
          layer: place.layer,
          readText: tokenTexts[place.position] ?? "",
          nextText: tokenTexts[place.position + 1] ?? null,
          notes: [
            ...notesOf(place),
            ...(metric.isSigned ? [`delta log-prob. of the actual next token ${changeAt(place)} nats`] : []),
            ...(outlined === null || chosen === null
              ? []
              : [
                  `outlined token “${chosen.text}” rank ${formatRank(outlined.rank)}, probability ${formatProbability(outlined.probability)}`,
                ]),
          ],
        },
        columns.cell(place.position, place.layer),
      );
    },
  };
}
