import { formatScore } from "@/model/format";
/** The map as a drawing: layers by aligned positions, coloured by score. */
import { DIVERGING, rampStep } from "@/charts/colour/colour";
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement } from "@/charts/figure/svg";
import { cellText } from "@/model/tokens";
import { type MapRow } from "./grid";
import type { PatchTexts } from "./texts";

const HEAD_HEIGHT = 22;
const LABEL_WIDTH = 18;
const SCALE = { kind: "linear", dark: -1, bright: 1 } as const;
/** Narrower cells have no number. */
const NUMBER_WIDTH = 16;

export function drawMap(
  texts: PatchTexts,
  rows: readonly MapRow[],
  { width, maxHeight, palette }: FigureLayout,
): Drawing {
  const { pairs, a, b } = texts;
  const cellWidth = (width - LABEL_WIDTH) / Math.max(1, pairs.length);
  const cellHeight = Math.min(11, Math.max(5, (maxHeight - HEAD_HEIGHT) / rows.length));
  // Figures are light, as the paper that they are printed on.
  const ramp = DIVERGING.light;
  const heads = pairs.map(([ofA, ofB], pair) => {
    const x = LABEL_WIDTH + pair * cellWidth;
    const [tokenA, tokenB] = [a.tokens[ofA], b.tokens[ofB]];
    const name = (token: typeof tokenA): string =>
      token === undefined ? "" : cutText(cellText(token), TYPE.body, cellWidth - 1);
    return (
      textElement(x, 8, name(tokenA), { fill: palette.text }) +
      textElement(x, 18, name(tokenB), { fill: palette.text })
    );
  });
  const cells = rows.map(({ layer, scores }, row) => {
    const y = HEAD_HEIGHT + row * cellHeight;
    return [
      textElement(LABEL_WIDTH - 3, y + cellHeight - 2, String(layer), {
        fill: palette["text-muted"],
        "text-anchor": "end",
      }),
      ...scores.map((score, pair) => {
        if (score === null) return "";
        const step = rampStep(SCALE, Math.min(1, Math.max(-1, score)));
        const x = LABEL_WIDTH + pair * cellWidth;
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
    height: HEAD_HEIGHT + rows.length * cellHeight,
    svg: [
      textElement(0, 8, "A", { fill: palette["text-muted"] }),
      textElement(0, 18, "B", { fill: palette["text-muted"] }),
      ...heads,
      element("g", DATA, ...cells),
    ].join(""),
  };
}
