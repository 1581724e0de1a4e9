/** The Heatmap view to take away: every cell that was read, not only those on the screen. */
import { type Answer, wantedId } from "@/components/heatmap/lensCells";
import {
  CELL_HEIGHT,
  CELL_WIDTHS,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  MIN_HEAD_WIDTH,
  MIN_TEXT_WIDTH,
} from "@/components/heatmap/geometry";
import { type Ramp, type Scale, gradientStops, rampStep, ticks } from "@/lib/colour";
import type { LensColumns } from "@/lib/columns";
import { type Exhibit, FigureTooLarge } from "@/lib/exhibit";
import { DATA, type Drawing, PAPER } from "@/lib/figure";
import { formatCount } from "@/lib/format";
import type { Metric } from "@/lib/metrics";
import { cutText, element, textElement } from "@/lib/svg";
import type { Cell } from "@/lib/table";
import { cellText, cellTextOfText } from "@/lib/tokens";
import type { Token } from "@/types/timeline";

export interface HeatmapState {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  readonly layerLabels: readonly string[];
  readonly metric: Metric;
  readonly scale: Scale;
  readonly ramp: Ramp;
  readonly answer: Answer;
  readonly answerRamp: Ramp;
  /** In px; narrower where the whole would become too wide. */
  readonly cellWidth: number;
}

const COLUMNS = [
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "predicts_index", unit: null },
  { key: "next_token_id", unit: null },
  { key: "next_text", unit: null },
  { key: "top_id", unit: null },
  { key: "top_text", unit: null },
  { key: "top_probability", unit: "0 to 1" },
  { key: "next_probability", unit: "0 to 1" },
  { key: "next_rank", unit: "1 is the first choice" },
  { key: "entropy_nats", unit: "nats" },
  { key: "kl_to_final_nats", unit: "nats" },
] as const;

const ANSWER_FACTS: Readonly<Record<Exclude<Answer, "off">, string>> = {
  output: "Brown to pink: the first choice is already the one of the last layer",
  actual: "Brown to pink: the first choice is the token that really follows",
};

export function heatmapExhibit(state: HeatmapState): Exhibit {
  const { tokens, columns, layerLabels, metric } = state;
  const positions = tokens.map((token) => token.index).filter((position) => columns.isRead(position));
  const cells = layerLabels.flatMap((_, layer) =>
    positions.map((position) => columns.cell(position, layer)).filter((cell) => cell !== null),
  );
  const unread = tokens.length - positions.length;
  return {
    title: "Layers by tokens",
    facts: [
      `Coloured by ${metric.title}: ${metric.explanation}`,
      "A column is read at its token and predicts the next one; ◥ marks a first choice that is the token which really follows",
      ...(state.answer === "off" ? [] : [ANSWER_FACTS[state.answer]]),
      ...(unread === 0 ? [] : [`Not read: ${unread} of ${tokens.length} positions`]),
    ],
    place: `0-${tokens.length - 1}-${metric.id}`,
    table: {
      columns: COLUMNS,
      rows: cells.map((cell): Cell[] => {
        const next = tokens[cell.position + 1];
        const top = cell.predictions[0];
        return [
          cell.layer,
          layerLabels[cell.layer] ?? "",
          cell.position,
          tokens[cell.position]?.id ?? null,
          tokens[cell.position]?.text ?? null,
          cell.position + 1,
          next?.id ?? null,
          next?.text ?? null,
          top?.tokenId ?? null,
          top?.text ?? null,
          top?.probability ?? null,
          cell.nextProbability,
          cell.nextRank,
          cell.entropyNats,
          cell.klToFinalNats,
        ];
      }),
    },
    draw: () => draw(state),
    probabilities: cells.flatMap(({ position, layer, predictions: [top], nextProbability, nextRank }) => {
      const next = tokens[position + 1];
      return [
        ...(top === undefined
          ? []
          : [{ position, layer, tokenIds: [top.tokenId], probability: top.probability, rank: 1 }]),
        ...(next === undefined || next.id === top?.tokenId || nextProbability === null
          ? []
          : [{ position, layer, tokenIds: [next.id], probability: nextProbability, rank: nextRank }]),
      ];
    }),
    predictions: cells.map(({ position, layer, entropyNats, klToFinalNats }) => ({
      position,
      layer,
      entropyNats,
      klToFinalNats,
    })),
  };
}

/** No more than this many cells are drawn: an SVG of more has tens of megabytes. */
const MAX_CELLS = 60_000;
/** Widest drawing in px; a browser's canvas ends at 16,384, and the frame needs room too. */
const MAX_WIDTH = 16_000;
const LEGEND = { width: 280, height: 10, top: 16, room: 56 } as const;
const PADDING = 4;
const CORNER = 5;
const SIZE = 11;

function draw(state: HeatmapState): Drawing {
  const { tokens, layerLabels } = state;
  const count = tokens.length * layerLabels.length;
  const cellWidth = [...CELL_WIDTHS]
    .reverse()
    .find((width) => width <= state.cellWidth && LABEL_WIDTH + tokens.length * width <= MAX_WIDTH);
  if (count > MAX_CELLS || cellWidth === undefined) {
    throw new FigureTooLarge(
      `${formatCount(count)} cells are too many for one picture, which holds ${formatCount(MAX_CELLS)}. Take the CSV or the JSON.`,
    );
  }
  const grid = element("g", { transform: `translate(0 ${LEGEND.room})` }, drawGrid(state, cellWidth));
  return {
    width: Math.max(LEGEND.width, LABEL_WIDTH + tokens.length * cellWidth),
    height: LEGEND.room + HEAD_HEIGHT + layerLabels.length * CELL_HEIGHT,
    svg: drawLegend(state) + grid,
  };
}

function drawGrid(
  { tokens, columns, layerLabels, metric, scale, ramp: plain, answer, answerRamp }: HeatmapState,
  cellWidth: number,
): string {
  const nLayers = layerLabels.length;
  const hasText = cellWidth >= MIN_TEXT_WIDTH;
  const gap = hasText ? 1 : 0;
  const tokenIds = tokens.map((token) => token.id);
  const texts = new Map(tokens.map((token) => [token.id, cellText(token)]));
  const textOf = (id: number): string => texts.get(id) ?? cellTextOfText(columns.text(id));
  const yOf = (layer: number): number => HEAD_HEIGHT + (nLayers - 1 - layer) * CELL_HEIGHT;

  const parts = layerLabels.map((label, layer) =>
    textElement(LABEL_WIDTH - 8, yOf(layer) + 15, label, { fill: PAPER["text-quiet"], "text-anchor": "end" }),
  );
  const every = cellWidth >= MIN_HEAD_WIDTH ? 1 : ([5, 10, 20, 50].find((n) => n * cellWidth >= 40) ?? 100);
  if (every === 1) {
    for (const [i, name] of ["index", "read at", "predicts"].entries()) {
      parts.push(
        textElement(LABEL_WIDTH - 8, 14 + 17 * i, name, { fill: PAPER["text-quiet"], "text-anchor": "end" }),
      );
    }
  }
  for (const [position, token] of tokens.entries()) {
    const x = LABEL_WIDTH + position * cellWidth;
    if (every === 1) {
      const next = tokens[position + 1];
      const room = cellWidth - 2 * PADDING;
      parts.push(
        textElement(x + PADDING, 14, String(position), { fill: PAPER["text-quiet"] }),
        textElement(x + PADDING, 31, cutText(cellText(token), SIZE, room), { fill: PAPER.text }),
        textElement(x + PADDING, 48, next === undefined ? "–" : cutText(cellText(next), SIZE, room), {
          fill: PAPER["text-quiet"],
        }),
      );
    } else if (position % every === 0) {
      parts.push(textElement(x, HEAD_HEIGHT - 8, String(position), { fill: PAPER["text-quiet"] }));
    }
    if (!columns.isRead(position)) {
      parts.push(
        element("rect", {
          x,
          y: HEAD_HEIGHT,
          width: cellWidth - gap,
          height: nLayers * CELL_HEIGHT - 1,
          fill: "none",
          stroke: PAPER.line,
          "stroke-dasharray": "2 3",
        }),
      );
      continue;
    }
    const wanted = wantedId(columns, position, answer, tokenIds);
    for (let layer = 0; layer < nLayers; layer += 1) {
      const y = yOf(layer);
      const id = columns.topId(position, layer);
      const ramp = id === wanted ? answerRamp : plain;
      const value = metric.value(columns, position, layer);
      const step = Number.isNaN(value) ? null : rampStep(scale, value);
      const fill = step === null ? PAPER["surface-sunken"] : ramp.fill[step];
      const ink = (step === null ? undefined : ramp.ink[step]) ?? PAPER["text-quiet"];
      parts.push(element("rect", { x, y, width: cellWidth - gap, height: CELL_HEIGHT - 1, fill }));
      if (!hasText) continue;
      const text = cutText(textOf(id), SIZE, cellWidth - gap - 2 * PADDING);
      if (text !== "") parts.push(textElement(x + PADDING, y + 15, text, { fill: ink }));
      if (id === tokens[position + 1]?.id) {
        const right = x + cellWidth - gap;
        parts.push(element("path", { d: `M${right - CORNER} ${y}H${right}V${y + CORNER}z`, fill: ink }));
      }
    }
  }
  return element("g", { ...DATA, "font-size": SIZE }, ...parts);
}

/** The ramp with its values and unit, as above the grid on the page. */
function drawLegend({ metric, scale, ramp }: HeatmapState): string {
  const stops = gradientStops(ramp).map((colour, i, all) =>
    element("stop", { offset: i / (all.length - 1), "stop-color": colour }),
  );
  const marks = ticks(scale).filter(({ at }) => at === 0 || at === 1 || (at > 0.2 && at < 0.9));
  return [
    element("defs", {}, element("linearGradient", { id: "ramp" }, ...stops)),
    textElement(0, 10, metric.unit, { fill: PAPER["text-muted"] }),
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
