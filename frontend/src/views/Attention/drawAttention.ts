/** The Attention view as a drawing: the grid of heads, and beside or below it what the shown heads read. */
import { DIVERGING, gradientStops, rampStep } from "@/charts/colour/colour";
import { DATA, type Drawing, type FigureLayout, FigureTooLarge } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import { gridRows, headScale, labelStride } from "./headGrid";
import {
  type Rows,
  type Scope,
  firstOf,
  largest,
  mostRead,
  scopeName,
  sourceScale,
  sourceValues,
} from "./heads";
import { type CellMeasure, KINDS, formatValue } from "./kinds";
import { type Message, sumsOf } from "./messages";

interface AttentionDrawing {
  readonly rows: Rows;
  readonly tokens: readonly Token[];
  readonly scope: Scope;
  readonly messages: readonly Message[];
  readonly measure: CellMeasure;
  readonly withSink: boolean;
}

/** Narrower than this, the bars are below the grid. */
const BESIDE = 380;
const GAP = 16;
const LABEL = 16;
const MAX_CELL = { width: 26, height: 10 } as const;
const MIN_CELL = 1.5;
const MAX_SOURCES = 10;
const BAR_ROW = 10;
const VALUE = 34;
/** Height in which a label has room. */
const LABEL_HEIGHT = 7;

export function drawAttention(drawing: AttentionDrawing, layout: FigureLayout): Drawing {
  const isBeside = layout.width >= BESIDE;
  const gridWidth = isBeside ? layout.width / 2 - GAP / 2 : layout.width;
  const bars = drawBars(drawing, layout, isBeside ? layout.width - gridWidth - GAP : layout.width);
  const grid = drawGrid(
    drawing,
    layout,
    gridWidth,
    isBeside ? layout.maxHeight : layout.maxHeight - bars.height - GAP,
  );
  const [x, y] = isBeside ? [gridWidth + GAP, 0] : [0, grid.height + GAP];
  return {
    width: layout.width,
    height: isBeside ? Math.max(grid.height, bars.height) : y + bars.height,
    svg: grid.svg + element("g", { transform: `translate(${x} ${y})` }, bars.svg),
  };
}

function drawGrid(
  { rows, measure }: AttentionDrawing,
  { palette, theme }: FigureLayout,
  width: number,
  maxHeight: number,
): Drawing {
  const lines = gridRows(rows, measure);
  const max = headScale(rows.kind, lines);
  const { isSigned, cells: meanings } = KINDS[rows.kind];
  const ramp = DIVERGING[theme];
  const top = 26;
  const cellWidth = Math.min(MAX_CELL.width, (width - LABEL) / rows.n_heads);
  const cellHeight = Math.min(MAX_CELL.height, (maxHeight - top) / lines.length);
  if (cellWidth < MIN_CELL || cellHeight < MIN_CELL) {
    throw new FigureTooLarge(
      `${lines.length} blocks of ${rows.n_heads} heads have no room in this width. Choose a wider figure, or take the CSV.`,
    );
  }
  const quiet = { fill: palette["text-muted"], "font-size": TYPE.small };
  const scaleText = { fill: palette.text, "font-size": TYPE.small };
  const low = isSigned ? formatValue(rows.kind, -max) : "0";
  const high = isSigned
    ? formatValue(rows.kind, max)
    : rows.kind === "weight"
      ? "1"
      : formatValue(rows.kind, max);
  const lowWidth = textWidth(low, TYPE.small) + 3;
  const stops = gradientStops(ramp, 17).slice(isSigned ? 0 : 8);
  const legend = [
    textElement(0, 7, low, { ...scaleText, ...DATA }),
    ...stops.map((colour, i) =>
      element("rect", { x: lowWidth + 3 * i, y: 2, width: 3.1, height: 5, fill: colour }),
    ),
    textElement(lowWidth + 3 * stops.length + 3, 7, high, { ...scaleText, ...DATA }),
    textElement(lowWidth + 3 * stops.length + 6 + textWidth(high, TYPE.small), 7, meanings[measure], quiet),
  ];
  const stride = Math.max(labelStride(rows.n_heads), Math.ceil(10 / cellWidth));
  const heads = Array.from({ length: rows.n_heads }, (_, head) =>
    head % stride === 0
      ? textElement(LABEL + (head + 0.5) * cellWidth, top - 3, String(head), {
          ...quiet,
          "text-anchor": "middle",
        })
      : "",
  );
  const rowStride = Math.ceil(LABEL_HEIGHT / cellHeight);
  const cells = lines.map(({ block, values }, row) => {
    const y = top + row * cellHeight;
    const label =
      row % rowStride === 0 || values === null
        ? textElement(LABEL - 3, y + cellHeight / 2 + 2.3, String(block), { ...quiet, "text-anchor": "end" })
        : "";
    if (values === null)
      return label + textElement(LABEL + 2, y + cellHeight / 2 + 2.3, "no attention", quiet);
    return (
      label +
      values
        .map((value, head) =>
          element("rect", {
            x: LABEL + head * cellWidth,
            y,
            width: Math.max(0.5, cellWidth - 0.4),
            height: Math.max(0.5, cellHeight - 0.4),
            fill: ramp.fill[rampStep({ kind: "linear", dark: -max, bright: max }, value)],
          }),
        )
        .join("")
    );
  });
  return {
    width,
    height: top + lines.length * cellHeight,
    svg: [...legend, element("g", DATA, ...heads, ...cells)].join(""),
  };
}

function drawBars(drawing: AttentionDrawing, { palette }: FigureLayout, width: number): Drawing {
  const { rows, tokens, scope, messages, withSink } = drawing;
  const { kind } = rows;
  const { isSigned, together } = KINDS[kind];
  const values = sourceValues(rows, scope);
  const sums = sumsOf(messages, values);
  const isSink = (index: number | undefined): boolean => index === 0 && !withSink && values.length > 1;
  const max = sourceScale(values, withSink);
  const sumMax = largest(sums.filter((_, at) => !isSink(messages[at]?.indices[0]))) || 1;
  const nameWidth = Math.min(90, width * 0.35);
  const barRoom = width - nameWidth - VALUE;
  const parts: string[] = [];
  let y = 0;
  const head = (text: string): void => {
    parts.push(
      textElement(0, y + 7, cutText(text, TYPE.body, width), {
        fill: palette.text,
        "font-size": TYPE.body,
        "font-weight": 600,
      }),
    );
    y += BAR_ROW + 2;
  };
  const bar = (name: string, value: number, full: number, isQuiet: boolean): void => {
    const share = Math.min(1, Math.abs(value) / full);
    const length = isSigned ? (barRoom * share) / 2 : barRoom * share;
    const from = isSigned ? barRoom / 2 - (value < 0 ? length : 0) : 0;
    const fill = isQuiet ? palette["line-strong"] : value < 0 ? palette["series-5"] : palette["data-actual"];
    parts.push(
      textElement(0, y + 7, cutText(name, TYPE.body, nameWidth - 4), { ...DATA, fill: palette.text }),
      element("rect", { x: nameWidth + from, y: y + 1.5, width: length, height: 6, fill }),
      textElement(width, y + 7, formatValue(kind, value), {
        ...DATA,
        fill: palette.text,
        "text-anchor": "end",
      }),
    );
    y += BAR_ROW;
  };
  const name = scopeName(scope) + (scope.kind === "head" ? "" : ` (${together})`);
  head(`${name}: most read`);
  for (const source of mostRead(values, firstOf(rows)).slice(0, MAX_SOURCES)) {
    const token = tokens[source];
    bar(`${token === undefined ? "" : cellText(token)}  ${source}`, values[source] ?? 0, max, isSink(source));
  }
  y += 6;
  head("By message");
  messages.forEach((message, at) => bar(message.name, sums[at] ?? 0, sumMax, isSink(message.indices[0])));
  return { width, height: y, svg: parts.join("") };
}
