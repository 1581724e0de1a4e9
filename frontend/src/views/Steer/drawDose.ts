/** The dose curve as a drawing: the probability over the strength, and that under the control. */
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { element, textElement, textWidth } from "@/charts/figure/svg";
import { linePath, probabilityAxis, shareOf } from "@/charts/lines/chart";
import { formatStrength } from "@/features/steering/inWords";
import type { MeasuredRun } from "./viewExport";

const TOP = 5;
const SAMPLE = 18;

export function drawDose(
  runs: readonly MeasuredRun[],
  name: string,
  { width, palette }: FigureLayout,
): Drawing {
  const axis = probabilityAxis([0.01, ...runs.map(({ probability }) => probability)]);
  const ticks = axis.ticks.map((tick) => ({ tick, text: String(Number(tick.toFixed(4))) }));
  const left = 15 + Math.max(...ticks.map(({ text }) => textWidth(text, TYPE.body)));
  const right = width - 8;
  const bottom = TOP + Math.min(220, Math.max(110, 0.45 * width));
  const reach = Math.max(...runs.map(({ strength }) => Math.abs(strength ?? 0)), Number.MIN_VALUE);
  const xOf = (strength: number): number => left + ((strength + reach) / (2 * reach)) * (right - left);
  const yOf = (probability: number): number => TOP + (1 - shareOf(axis, probability)) * (bottom - TOP);
  const quiet = { fill: palette["text-muted"] };
  const middle = (TOP + bottom) / 2;
  const axes = [
    ...ticks.map(
      ({ tick, text }) =>
        element("path", {
          d: `M${left} ${yOf(tick)}H${right}`,
          stroke: palette.line,
          "stroke-width": 0.5,
        }) + textElement(left - 4, yOf(tick) + 2.4, text, { ...DATA, ...quiet, "text-anchor": "end" }),
    ),
    ...[-reach, -reach / 2, 0, reach / 2, reach].map((tick) =>
      textElement(xOf(tick), bottom + 11, formatStrength(tick), {
        ...DATA,
        ...quiet,
        "text-anchor": tick === reach ? "end" : "middle",
      }),
    ),
    element("path", {
      d: `M${xOf(0)} ${TOP}V${bottom}`,
      stroke: palette["line-strong"],
      "stroke-width": 0.5,
      "stroke-dasharray": "1.5 2",
    }),
    textElement((left + right) / 2, bottom + 21, "strength", { ...quiet, "text-anchor": "middle" }),
    textElement(6, middle, "probability", {
      ...quiet,
      "text-anchor": "middle",
      transform: `rotate(-90 6 ${middle})`,
    }),
  ];
  const stroke = (run: "change" | "control") => ({
    fill: "none",
    stroke: palette[run === "change" ? "series-2" : "text-quiet"],
    "stroke-width": run === "change" ? 1.2 : 0.9,
    "stroke-dasharray": run === "change" ? undefined : "3 2",
  });
  const legendTop = bottom + 33;
  const lines = (["control", "change"] as const).map((run) => {
    const points = runs
      .filter((each) => each.run === run)
      .map(({ strength, probability }) => ({ x: xOf(strength ?? 0), y: yOf(probability) }));
    return element("path", { d: linePath(points), ...stroke(run) });
  });
  const legend = [
    { run: "change" as const, text: `probability of ${name}` },
    { run: "control" as const, text: "random direction of the same length" },
  ].map(({ run, text }, i) => {
    const y = legendTop + 10 * i;
    return (
      element("path", { d: `M0 ${y - 2.4}H${SAMPLE}`, ...stroke(run) }) +
      textElement(SAMPLE + 6, y, text, { fill: palette.text })
    );
  });
  return { width, height: legendTop + 13, svg: [...axes, ...lines, ...legend].join("") };
}
