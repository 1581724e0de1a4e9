import { formatScore } from "@/model/format";
/** The map as a drawing: layers by aligned positions, coloured by score, with the names of the positions. */
import { DIVERGING, rampStep } from "@/charts/colour/colour";
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { LEGEND, drawLegend } from "@/charts/heatmap/drawing";
import { cellText } from "@/model/tokens";
import { type MapRow, SCORE_SCALE, firstDifference } from "./grid";
import type { PatchTexts } from "./texts";

const LABEL_WIDTH = 18;
/** Narrower cells have no number. */
const NUMBER_WIDTH = 16;
/** Two names side by side that are cut to less say nothing. */
const NAME_WIDTH = 26;
const HEAD_HEIGHT = 22;
/** Room for one upright name. */
const TURNED_WIDTH = 8;
/** Characters of an upright name: `·France / ·Spain`. */
const MAX_TURNED = 18;

export function drawMap(
  texts: PatchTexts,
  allRows: readonly MapRow[],
  unit: string,
  { width, maxHeight, palette }: FigureLayout,
): Drawing {
  // Before it both texts are the same, so nothing is carried.
  const first = firstDifference(texts);
  const pairs = texts.pairs.slice(first);
  const rows = allRows.map(({ layer, scores }) => ({ layer, scores: scores.slice(first) }));
  const cellWidth = (width - LABEL_WIDTH) / Math.max(1, pairs.length);
  const left = (pair: number): number => LABEL_WIDTH + pair * cellWidth;
  const named = pairs.map(([ofA, ofB]) => {
    const [a, b] = [texts.a.tokens[ofA], texts.b.tokens[ofB]].map((token) =>
      token === undefined ? "" : cellText(token),
    ) as [string, string];
    return { a, b };
  });
  const isTurned = cellWidth < NAME_WIDTH;
  const turned = named.map(({ a, b }) =>
    cutText(a === b ? a : `${a} / ${b}`, TYPE.body, textWidth("n".repeat(MAX_TURNED), TYPE.body)),
  );
  const shown = isTurned ? namesWithRoom(rows, pairs.length, cellWidth) : [];
  const headHeight = isTurned
    ? Math.max(0, ...shown.map((pair) => textWidth(turned[pair] ?? "", TYPE.body))) + 5
    : HEAD_HEIGHT;
  const cellHeight = Math.min(11, Math.max(5, (maxHeight - LEGEND.room - headHeight) / rows.length));
  // Figures are light, as the paper that they are printed on.
  const ramp = DIVERGING.light;
  const heads = isTurned
    ? shown.map((pair) =>
        textElement(0, 0, turned[pair] ?? "", {
          transform: `translate(${(left(pair) + cellWidth / 2 + 2.4).toFixed(2)} ${(headHeight - 3).toFixed(2)}) rotate(-90)`,
          fill: palette.text,
        }),
      )
    : named.flatMap(({ a, b }, pair) =>
        [a, b].map((name, line) =>
          textElement(left(pair), 8 + 10 * line, cutText(name, TYPE.body, cellWidth - 1), {
            fill: palette.text,
          }),
        ),
      );
  const sides = isTurned
    ? []
    : ["A", "B"].map((name, line) => textElement(0, 8 + 10 * line, name, { fill: palette["text-muted"] }));
  const cells = rows.map(({ layer, scores }, row) => {
    const y = headHeight + row * cellHeight;
    return [
      textElement(LABEL_WIDTH - 3, y + cellHeight - 2, String(layer), {
        fill: palette["text-muted"],
        "text-anchor": "end",
      }),
      ...scores.map((score, pair) => {
        if (score === null) return "";
        const step = rampStep(SCORE_SCALE, Math.min(1, Math.max(-1, score)));
        const x = left(pair);
        const box = element("rect", {
          class: "cell",
          x: x.toFixed(2),
          y: y.toFixed(2),
          width: (cellWidth - 0.5).toFixed(2),
          height: (cellHeight - 0.5).toFixed(2),
          fill: ramp.fill[step],
        });
        if (cellWidth < NUMBER_WIDTH || cellHeight < 9) return box;
        const number = textElement(x + cellWidth / 2, y + cellHeight - 3, formatScore(score), {
          fill: ramp.ink[step],
          "text-anchor": "middle",
        });
        return box + number;
      }),
    ].join("");
  });
  return {
    width,
    height: LEGEND.room + headHeight + rows.length * cellHeight,
    svg: [
      drawLegend({ unit, scale: SCORE_SCALE, ramp }, palette),
      element(
        "g",
        { transform: `translate(0 ${LEGEND.room})` },
        ...sides,
        element("g", DATA, ...heads, ...cells),
      ),
    ].join(""),
  };
}

/** The positions that can be named without touching each other: those that carry most before the others. */
function namesWithRoom(rows: readonly MapRow[], nPairs: number, cellWidth: number): number[] {
  const carried = Array.from({ length: nPairs }, (_, pair) =>
    Math.max(...rows.map(({ scores }) => Math.abs(scores[pair] ?? 0))),
  );
  const order = carried.map((_, pair) => pair).sort((x, y) => (carried[y] ?? 0) - (carried[x] ?? 0));
  const kept: number[] = [];
  for (const pair of order) {
    if (kept.every((other) => Math.abs(other - pair) * cellWidth >= TURNED_WIDTH)) kept.push(pair);
  }
  return kept;
}
