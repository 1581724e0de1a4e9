/** The runs of an ablation or a swap as a drawing: a bar of probability for each. */
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { element, textElement, textWidth } from "@/charts/figure/svg";
import { formatProbability } from "@/model/format";
import type { MeasuredRun } from "./viewExport";

const NAMES = { plain: "plain model", change: "with the change", control: "with random directions" } as const;
const ROW = 13;
const NUMBER_WIDTH = 34;

export function drawRuns(runs: readonly MeasuredRun[], { width, palette }: FigureLayout): Drawing {
  const left = Math.max(...runs.map(({ run }) => textWidth(NAMES[run], TYPE.body))) + 6;
  const room = width - left - NUMBER_WIDTH;
  const rows = runs.flatMap(({ run, probability }, i) => [
    textElement(0, i * ROW + 9, NAMES[run], { fill: palette.text }),
    element("rect", {
      class: "bar",
      x: left.toFixed(2),
      y: i * ROW + 2,
      width: Math.max(0.4, room * probability).toFixed(2),
      height: ROW - 4,
      fill: palette[run === "change" ? "series-2" : "text-quiet"],
    }),
    textElement(width, i * ROW + 9, formatProbability(probability), {
      ...DATA,
      fill: palette.text,
      "text-anchor": "end",
    }),
  ]);
  return { width, height: runs.length * ROW, svg: rows.join("") };
}
