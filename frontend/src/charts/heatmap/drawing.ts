/** A heatmap drawn as SVG for a width on paper: with words where there is room, else in colour alone, in panels. */
import type { Span } from "@/base/span";
import { type Ramp, type Scale, gradientStops, ticks } from "@/charts/colour/colour";
import { DATA, type Drawing, type FigureLayout, FigureTooLarge } from "@/charts/figure/figure";
import type { Palette } from "@/charts/figure/palette";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { formatCount } from "@/model/format";
import type { LayerLabels } from "@/model/layers";
import { CellLooks, type CellSource } from "./cellLooks";
import type { ColumnHeads, HeadLine } from "./paint";
import { type Panels, panelsOf } from "./panels";

export interface HeatmapDrawing {
  readonly cells: CellSource;
  /** The columns that are drawn. */
  readonly span: Span;
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  /** By layer. */
  readonly layerLabels: LayerLabels;
  readonly heads: ColumnHeads;
  /** Stands upright above a column that is too narrow for its head. */
  readonly turnedHead: (position: number) => string;
  /** The text that a cell's `textId` names. */
  readonly textOf: (textId: number) => string;
  /** What the colours are of. */
  readonly unit: string;
  readonly scale: Scale;
  readonly ramp: Ramp;
  readonly answerRamp: Ramp;
}

/** No more than this many cells are drawn: an SVG of more has several megabytes. */
const MAX_CELLS = 30_000;
export const LEGEND = { width: 120, height: 6, top: 11, room: 32 } as const;
const PADDING = 2;
const PANEL_GAP = 10;
/** Characters of an upright head: an index and two tokens that differ, such as `15 ·France≠·Spain`. */
const MAX_TURNED = 18;

/** Throws FigureTooLarge. */
export function drawHeatmap(heatmap: HeatmapDrawing, { width, maxHeight, palette }: FigureLayout): Drawing {
  const { span, layers, layerLabels, heads } = heatmap;
  const nColumns = span.end - span.start;
  const count = nColumns * layers.length;
  if (count > MAX_CELLS) {
    throw new FigureTooLarge(
      `${formatCount(count)} cells are too many for one picture, which holds ${formatCount(MAX_CELLS)}. Choose at most ${formatCount(Math.floor(MAX_CELLS / layers.length))} columns, or take the CSV.`,
    );
  }
  const turned = Array.from({ length: nColumns }, (_, i) =>
    cutText(heatmap.turnedHead(span.start + i), TYPE.small, textWidth("n".repeat(MAX_TURNED), TYPE.small)),
  );
  const widest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((text) => textWidth(text, TYPE.small))) + 4;
  const labels = layers.map((layer) => layerLabels[layer] ?? "");
  const panels = panelsOf({
    nColumns,
    nRows: layers.length,
    width,
    maxHeight: maxHeight - LEGEND.room,
    left: { text: widest([...labels, ...heads.names]), bare: widest([...labels, "layer"]) },
    widestText: widestText(heatmap),
    turnedHeight: widest(turned),
    gap: PANEL_GAP,
  });
  const panelHeight = panels.headHeight + layers.length * panels.cellHeight;
  const looks = new CellLooks({ cells: heatmap.cells, layers, scale: heatmap.scale });
  const drawn = Array.from({ length: panels.nPanels }, (_, i) => {
    const start = span.start + i * panels.perPanel;
    const own = { start, end: Math.min(span.end, start + panels.perPanel) };
    return element(
      "g",
      { transform: `translate(0 ${round(LEGEND.room + i * (panelHeight + PANEL_GAP))})` },
      drawPanel(
        { ...heatmap, span: own },
        { panels, looks, palette, turned: turned.slice(start - span.start) },
      ),
    );
  });
  return {
    width,
    height: LEGEND.room + panels.nPanels * (panelHeight + PANEL_GAP) - PANEL_GAP,
    svg: drawLegend(heatmap, palette) + drawn.join(""),
  };
}

/** The widest first choice or token of a head, with the padding of a cell. */
function widestText({ span, layers, cells, heads, textOf }: HeatmapDrawing): number {
  const ids = new Set<number>();
  let widest = 0;
  for (let position = span.start; position < span.end; position += 1) {
    for (const { text } of heads.lines(position)) widest = Math.max(widest, textWidth(text, TYPE.small));
    for (const layer of layers) ids.add(cells.textId(position, layer));
  }
  for (const id of ids) if (id >= 0) widest = Math.max(widest, textWidth(textOf(id), TYPE.small));
  return widest + 2 * PADDING + 0.6;
}

interface PanelParts {
  readonly panels: Panels;
  readonly looks: CellLooks;
  readonly palette: Palette;
  /** The upright heads, from the first column of the panel on. */
  readonly turned: readonly string[];
}

function drawPanel(heatmap: HeatmapDrawing, { panels, looks, palette, turned }: PanelParts): string {
  const { cells, span, layers, layerLabels, heads, textOf, ramp, answerRamp } = heatmap;
  const { hasText, left, cellWidth, cellHeight, headHeight } = panels;
  const nRows = layers.length;
  const gap = hasText ? 0.6 : 0.25;
  const corner = hasText ? 3 : 2.4;
  const baseline = cellHeight / 2 + 2.2;
  const atLeft = (y: number, text: string): string =>
    textElement(left - 3, y, text, { fill: palette["text-muted"], "text-anchor": "end" });
  const parts = layers.map((layer, i) =>
    atLeft(headHeight + (nRows - 1 - i) * cellHeight + baseline, layerLabels[layer] ?? ""),
  );
  parts.push(
    ...(hasText
      ? heads.names.map((name, i) => atLeft(headLine(i), name))
      : [atLeft(headHeight - 3, "layer")]),
  );
  for (let position = span.start; position < span.end; position += 1) {
    const x = left + (position - span.start) * cellWidth;
    if (hasText) parts.push(...drawHead(heads.lines(position), x, cellWidth, palette));
    else {
      parts.push(
        textElement(0, 0, turned[position - span.start] ?? "", {
          transform: `translate(${round(x + cellWidth / 2 + 2.2)} ${round(headHeight - 3)}) rotate(-90)`,
          fill: palette.text,
        }),
      );
    }
    const width = cellWidth - gap;
    if (!looks.isRead(position)) {
      parts.push(emptyBox({ x, y: headHeight, width, height: nRows * cellHeight - gap }, palette));
      continue;
    }
    for (let row = nRows - 1; row >= 0; row -= 1) {
      const y = headHeight + row * cellHeight;
      const colours = looks.isAnswer(position, row) ? answerRamp : ramp;
      const step = looks.hasValue(position, row) ? looks.step(position, row) : null;
      const fill = step === null ? palette["surface-sunken"] : colours.fill[step];
      const ink = (step === null ? undefined : colours.ink[step]) ?? palette["text-quiet"];
      parts.push(element("rect", { class: "cell", x, y, width, height: cellHeight - gap, fill }));
      if (looks.isMarked(position, row)) {
        const from = `${round(x + width - corner)} ${round(y)}`;
        parts.push(element("path", { d: `M${from}h${corner}v${corner}z`, fill: ink }));
      }
      if (!hasText) continue;
      const textId = cells.textId(position, layers[nRows - 1 - row] ?? 0);
      const text = textId < 0 ? "" : cutText(textOf(textId), TYPE.small, width - 2 * PADDING);
      if (text !== "") parts.push(textElement(x + PADDING, y + baseline, text, { fill: ink }));
    }
  }
  return element("g", { ...DATA, "font-size": TYPE.small }, ...parts);
}

const round = (value: number): number => Math.round(100 * value) / 100;

/** Baseline of a line of a head. */
const headLine = (line: number): number => 6 + 8.6 * line;

function drawHead(lines: readonly HeadLine[], x: number, cellWidth: number, palette: Palette): string[] {
  return lines.flatMap(({ text, isQuiet, mark }, i) => {
    const y = headLine(i);
    return [
      ...(mark === "gap" ? [emptyBox({ x, y: y - 6, width: cellWidth - 1, height: 7.5 }, palette)] : []),
      ...(mark === "different"
        ? [element("rect", { x, y: y + 1.6, width: cellWidth - 1, height: 0.9, fill: palette.text })]
        : []),
      textElement(x + PADDING, y, cutText(text, TYPE.small, cellWidth - 2 * PADDING), {
        fill: isQuiet ? palette["text-muted"] : palette.text,
      }),
    ];
  });
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const emptyBox = (box: Box, palette: Palette): string =>
  element("rect", {
    ...box,
    fill: "none",
    stroke: palette["line-strong"],
    "stroke-width": 0.4,
    "stroke-dasharray": "1 1.5",
  });

/** The ramp with its values and unit, as above the grid on the page. */
export function drawLegend(
  { unit, scale, ramp }: Pick<HeatmapDrawing, "unit" | "scale" | "ramp">,
  palette: Palette,
): string {
  const quiet = { fill: palette["text-muted"] };
  const stops = gradientStops(ramp).map((colour, i, all) =>
    element("stop", { offset: i / (all.length - 1), "stop-color": colour }),
  );
  const marks = ticks(scale).filter(({ at }) => at === 0 || at === 1 || (at > 0.2 && at < 0.9));
  return [
    element("defs", {}, element("linearGradient", { id: "ramp" }, ...stops)),
    textElement(0, 7, unit, quiet),
    element("rect", { y: LEGEND.top, width: LEGEND.width, height: LEGEND.height, fill: "url(#ramp)" }),
    element(
      "g",
      { ...DATA, ...quiet, "font-size": TYPE.small },
      ...marks.map(({ value, at }) =>
        textElement(
          at * LEGEND.width,
          LEGEND.top + LEGEND.height + 8,
          Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(3))),
          { "text-anchor": at === 0 ? "start" : at === 1 ? "end" : "middle" },
        ),
      ),
    ),
  ].join("");
}
