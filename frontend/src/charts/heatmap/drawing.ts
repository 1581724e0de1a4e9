/** A heatmap drawn as SVG, whole and in the light theme, to be taken away. */
import type { Span } from "@/base/span";
import { type Ramp, type Scale, gradientStops, ticks } from "@/charts/colour/colour";
import { DATA, type Drawing, FigureTooLarge, PAPER } from "@/charts/figure/figure";
import { cutText, element, textElement } from "@/charts/figure/svg";
import { formatCount } from "@/model/format";
import { CellLooks, type CellSource } from "./cellLooks";
import {
  CELL_HEIGHT,
  CELL_WIDTHS,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  MIN_HEAD_WIDTH,
  MIN_TEXT_WIDTH,
} from "./geometry";
import type { ColumnHeads, HeadLine } from "./paint";

export interface HeatmapDrawing {
  readonly cells: CellSource;
  /** The columns that are drawn. */
  readonly span: Span;
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  /** By layer. */
  readonly layerLabels: readonly string[];
  readonly heads: ColumnHeads;
  /** The text that a cell's `textId` names. */
  readonly textOf: (textId: number) => string;
  /** What the colours are of. */
  readonly unit: string;
  readonly scale: Scale;
  readonly ramp: Ramp;
  readonly answerRamp: Ramp;
  /** In px; narrower where the whole would become too wide. */
  readonly cellWidth: number;
}

/** No more than this many cells are drawn: an SVG of more has tens of megabytes. */
const MAX_CELLS = 60_000;
/** Widest drawing in px; a browser's canvas ends at 16,384, and the frame needs room too. */
const MAX_WIDTH = 16_000;
const LEGEND = { width: 280, height: 10, top: 16, room: 56 } as const;
const PADDING = 4;
const CORNER = 5;
const SIZE = 11;
/** Baselines of the lines of a head. */
const HEAD_LINES = [14, 31, 48] as const;

/** Throws FigureTooLarge. */
export function drawHeatmap(heatmap: HeatmapDrawing): Drawing {
  const { span, layers } = heatmap;
  const nColumns = span.end - span.start;
  const count = nColumns * layers.length;
  const cellWidth = [...CELL_WIDTHS]
    .reverse()
    .find((width) => width <= heatmap.cellWidth && LABEL_WIDTH + nColumns * width <= MAX_WIDTH);
  if (count > MAX_CELLS || cellWidth === undefined) {
    throw new FigureTooLarge(
      `${formatCount(count)} cells are too many for one picture, which holds ${formatCount(MAX_CELLS)}. Take the CSV or the JSON.`,
    );
  }
  const grid = element("g", { transform: `translate(0 ${LEGEND.room})` }, drawGrid(heatmap, cellWidth));
  return {
    width: Math.max(LEGEND.width, LABEL_WIDTH + nColumns * cellWidth),
    height: LEGEND.room + HEAD_HEIGHT + layers.length * CELL_HEIGHT,
    svg: drawLegend(heatmap) + grid,
  };
}

function drawGrid(heatmap: HeatmapDrawing, cellWidth: number): string {
  const { cells, span, layers, layerLabels, heads, textOf, scale, ramp, answerRamp } = heatmap;
  const nRows = layers.length;
  const looks = new CellLooks({ cells, layers, scale });
  const hasText = cellWidth >= MIN_TEXT_WIDTH;
  const gap = hasText ? 1 : 0;
  const every = cellWidth >= MIN_HEAD_WIDTH ? 1 : ([5, 10, 20, 50].find((n) => n * cellWidth >= 40) ?? 100);
  const quiet = { fill: PAPER["text-quiet"] };
  const parts = layers.map((layer, i) => {
    const label = layerLabels[layer] ?? "";
    // Once, where there is room for it.
    const text = i === nRows - 1 && label.length <= 3 ? `layer ${label}` : label;
    const y = HEAD_HEIGHT + (nRows - 1 - i) * CELL_HEIGHT + 15;
    return textElement(LABEL_WIDTH - 8, y, text, { ...quiet, "text-anchor": "end" });
  });
  if (every === 1) {
    for (const [i, y] of HEAD_LINES.entries()) {
      parts.push(textElement(LABEL_WIDTH - 8, y, heads.names[i] ?? "", { ...quiet, "text-anchor": "end" }));
    }
  }
  for (let position = span.start; position < span.end; position += 1) {
    const x = LABEL_WIDTH + (position - span.start) * cellWidth;
    const number = heads.number(position);
    if (every === 1) parts.push(...drawHead(heads.lines(position), x, cellWidth));
    else if (number !== null && number % every === 0) {
      parts.push(textElement(x, HEAD_HEIGHT - 8, String(number), quiet));
    }
    if (!looks.isRead(position)) {
      parts.push(emptyBox(x, HEAD_HEIGHT, cellWidth - gap, nRows * CELL_HEIGHT - 1));
      continue;
    }
    for (let row = nRows - 1; row >= 0; row -= 1) {
      const y = HEAD_HEIGHT + row * CELL_HEIGHT;
      const colours = looks.isAnswer(position, row) ? answerRamp : ramp;
      const step = looks.hasValue(position, row) ? looks.step(position, row) : null;
      const fill = step === null ? PAPER["surface-sunken"] : colours.fill[step];
      const ink = (step === null ? undefined : colours.ink[step]) ?? PAPER["text-quiet"];
      parts.push(element("rect", { x, y, width: cellWidth - gap, height: CELL_HEIGHT - 1, fill }));
      if (!hasText) continue;
      const textId = cells.textId(position, layers[nRows - 1 - row] ?? 0);
      const text = textId < 0 ? "" : cutText(textOf(textId), SIZE, cellWidth - gap - 2 * PADDING);
      if (text !== "") parts.push(textElement(x + PADDING, y + 15, text, { fill: ink }));
      if (looks.isMarked(position, row)) {
        const right = x + cellWidth - gap;
        parts.push(element("path", { d: `M${right - CORNER} ${y}H${right}V${y + CORNER}z`, fill: ink }));
      }
    }
  }
  return element("g", { ...DATA, "font-size": SIZE }, ...parts);
}

function drawHead(lines: readonly HeadLine[], x: number, cellWidth: number): string[] {
  return lines.flatMap(({ text, isQuiet, mark }, i) => {
    const y = HEAD_LINES[i] ?? 0;
    const cut = i === 0 ? text : cutText(text, SIZE, cellWidth - 2 * PADDING);
    return [
      ...(mark === "gap" ? [emptyBox(x, y - 11, cellWidth - 1, 14)] : []),
      ...(mark === "different"
        ? [element("rect", { x, y: y + 3, width: cellWidth - 1, height: 2, fill: PAPER.text })]
        : []),
      textElement(x + PADDING, y, cut, { fill: isQuiet ? PAPER["text-quiet"] : PAPER.text }),
    ];
  });
}

const emptyBox = (x: number, y: number, width: number, height: number): string =>
  element("rect", { x, y, width, height, fill: "none", stroke: PAPER.line, "stroke-dasharray": "2 3" });

/** The ramp with its values and unit, as above the grid on the page. */
function drawLegend({ unit, scale, ramp }: HeatmapDrawing): string {
  const stops = gradientStops(ramp).map((colour, i, all) =>
    element("stop", { offset: i / (all.length - 1), "stop-color": colour }),
  );
  const marks = ticks(scale).filter(({ at }) => at === 0 || at === 1 || (at > 0.2 && at < 0.9));
  return [
    element("defs", {}, element("linearGradient", { id: "ramp" }, ...stops)),
    textElement(0, 10, unit, { fill: PAPER["text-muted"] }),
    element("rect", { y: LEGEND.top, width: LEGEND.width, height: LEGEND.height, fill: "url(#ramp)" }),
    element(
      "g",
      { ...DATA, fill: PAPER["text-muted"] },
      ...marks.map(({ value, at }) =>
        textElement(
          at * LEGEND.width,
          LEGEND.top + LEGEND.height + 14,
          Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(3))),
          { "text-anchor": at === 0 ? "start" : at === 1 ? "end" : "middle" },
        ),
      ),
    ),
  ].join("");
}
