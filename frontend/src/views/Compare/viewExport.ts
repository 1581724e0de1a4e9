/** The Compare view to take away: every pair that was read, and the gaps. */
import { type Span, within } from "@/base/span";
import { DIFFERENCE, DIVERGING, type Scale } from "@/charts/colour/colour";
import type { Drawing, FigureLayout } from "@/charts/figure/figure";
import { drawHeatmap } from "@/charts/heatmap/drawing";
import { plainToken } from "@/features/export/exportJson";
import type { ShownProbability } from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import type { LayerLabels } from "@/model/layers";
import type { LensKind } from "@/model/lenses";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { Alignment } from "@/features/pair/alignment";
import type { Compared, Difference } from "./differences";
import { pairCells, pairHeads, pairText } from "./pairCells";
import { type Pair, pairOf } from "./pairColumns";
import { pairsScript } from "./pairsScript";

export interface ComparedState {
  readonly a: readonly Token[];
  readonly b: readonly Token[];
  /** Null where B is no saved conversation. */
  readonly otherConversationId: string | null;
  readonly otherTitle: string | null;
  readonly lensB: LensKind;
  readonly alignment: Alignment;
  readonly compared: Compared;
  readonly difference: Difference;
  readonly scale: Scale;
  /** Of A and of B, row by row, the embedding first. */
  readonly layers: readonly (readonly [number, number])[];
  /** What stands before a row, by the layer of A. */
  readonly layerLabels: LayerLabels;
  readonly textOf: (tokenId: number) => string;
  /** The columns on the screen. */
  readonly shown: Span;
}

const COLUMNS = [
  { key: "column", unit: null },
  { key: "a_read_at_index", unit: null },
  { key: "a_read_at_token_id", unit: null },
  { key: "a_read_at_text", unit: null },
  { key: "b_read_at_index", unit: null },
  { key: "b_read_at_token_id", unit: null },
  { key: "b_read_at_text", unit: null },
  { key: "is_same_token", unit: null },
  { key: "a_layer", unit: null },
  { key: "b_layer", unit: null },
  { key: "kl_a_to_b_nats", unit: "nats" },
  { key: "kl_b_to_a_nats", unit: "nats" },
  { key: "js_nats", unit: "nats" },
  { key: "a_top_id", unit: null },
  { key: "a_top_text", unit: null },
  { key: "a_top_probability", unit: "0 to 1" },
  { key: "b_top_id", unit: null },
  { key: "b_top_text", unit: null },
  { key: "b_top_probability", unit: "0 to 1" },
] as const;

const TARGET_COLUMNS = [
  { key: "token_id", unit: null },
  { key: "token_text", unit: null },
  { key: "a_probability", unit: "0 to 1" },
  { key: "a_rank", unit: "1 is the top-1 prediction" },
  { key: "b_probability", unit: "0 to 1" },
  { key: "b_rank", unit: "1 is the top-1 prediction" },
] as const;

interface PlacedPair extends Pair {
  readonly column: number;
}

export function compareExport(state: ComparedState): ViewExport {
  const { a, b, alignment, compared, difference, layers, lensB, otherConversationId } = state;
  const { pairs, target } = compared;
  const placed = alignment.columns.flatMap((column, i): PlacedPair[] => {
    const pair = pairOf(column);
    return pair !== null && pairs.isRead(pair) ? [{ ...pair, column: i }] : [];
  });
  const whole = { start: 0, end: alignment.columns.length };
  const nGaps = alignment.columns.length - alignment.nPairs;
  const unread = alignment.nPairs - placed.length;
  const rows = placed.flatMap((pair) =>
    layers.map(([layerA, layerB], row) => ({ pair, layerA, layerB, row })),
  );
  const probabilities: Record<"a" | "b", ShownProbability[]> = { a: [], b: [] };
  for (const { pair, layerA, layerB, row } of rows) {
    const choices = pairs.firstChoices(pair, row);
    const place = target?.target(pair, row) ?? null;
    const shown = (position: number, layer: number, id: number, probability: number, rank: number) => ({
      position,
      layer,
      tokenIds: [id],
      probability,
      rank,
    });
    if (choices !== null) {
      probabilities.a.push(shown(pair.a, layerA, choices.aId, choices.aProbability, 1));
      probabilities.b.push(shown(pair.b, layerB, choices.bId, choices.bProbability, 1));
    }
    if (place !== null && target !== null) {
      probabilities.a.push(shown(pair.a, layerA, target.tokenId, place.aProbability, place.aRank));
      probabilities.b.push(shown(pair.b, layerB, target.tokenId, place.bProbability, place.bRank));
    }
  }
  return {
    title: "Two timelines compared",
    facts: [
      `A: this conversation, ${a.length} tokens. B: ${otherConversationId === null ? "a changed prompt" : `“${state.otherTitle ?? "this conversation"}”`}, ${b.length} tokens, ${lensB} lens`,
      `Coloured by ${difference.title}: ${difference.unit}`,
      "A column is a pair of tokens, aligned by their ids; each side is read at its token and predicts the one after it. ◥ marks top-1 predictions that differ",
      ...(difference.id === "target" && target !== null
        ? [`The token is “${cellTextOfText(target.text ?? "")}”, id ${target.tokenId}`]
        : []),
      ...(nGaps === 0
        ? []
        : [`${nGaps} unaligned ${nGaps === 1 ? "token" : "tokens"}, where nothing is compared`]),
      ...(alignment.isThorough
        ? []
        : ["The two differ too much to be aligned token by token: only their beginning and end are"]),
      ...(unread === 0 ? [] : [`Not read: ${unread} of ${alignment.nPairs} pairs`]),
    ],
    place: `0-${alignment.columns.length - 1}-${difference.id}`,
    table: {
      columns: target === null ? COLUMNS : [...COLUMNS, ...TARGET_COLUMNS],
      rows: tableRows(state, rows),
    },
    columns: { of: "Column", all: whole, shown: within(state.shown, whole) },
    draw: (layout) => draw(state, layout.columns ?? whole, layout),
    places: probabilities.a,
    script: ({ lens, model, interventions, otherInterventions }) =>
      pairsScript(
        { lens, tokens: a, probabilities: probabilities.a, interventions },
        { lens: lensB, tokens: b, probabilities: probabilities.b, interventions: otherInterventions },
        rows.map(({ pair, layerA, layerB, row }) => ({
          position: pair.a,
          layer: layerA,
          otherPosition: pair.b,
          otherLayer: layerB,
          klToOtherNats: pairs.klAToBNats(pair, row),
          klFromOtherNats: pairs.klBToANats(pair, row),
          jsNats: pairs.jsNats(pair, row),
        })),
        model,
      ),
    json: { other: { lens: lensB, conversation_id: otherConversationId, tokens: b.map(plainToken) } },
  };
}

function draw(state: ComparedState, span: Span, layout: FigureLayout): Drawing {
  const { a, b, alignment, compared, difference, layers } = state;
  const texts = { a: a.map(cellText), b: b.map(cellText) };
  return drawHeatmap(
    {
      cells: pairCells({
        alignment,
        compared,
        difference,
        rowOf: (layer) => layers.findIndex(([own]) => own === layer),
      }),
      span,
      layers: layers.map(([layer]) => layer),
      layerLabels: state.layerLabels,
      heads: pairHeads(alignment, texts, WIDE_CELL),
      turnedHead: (position) => turnedHead(alignment.columns[position], texts),
      textOf: (id) => pairText(id, state.textOf),
      unit: difference.unit,
      scale: state.scale,
      ramp: (difference.isSigned ? DIVERGING : DIFFERENCE)[layout.theme],
      answerRamp: DIFFERENCE[layout.theme],
    },
    layout,
  );
}

/** Wide enough for both indices of a column. */
const WIDE_CELL = 64;

/** `12 ·Paris`; where the two differ, `12 ·Paris≠·Rome`, and `–` for a gap. */
function turnedHead(
  column: Alignment["columns"][number] | undefined,
  texts: Readonly<Record<"a" | "b", readonly string[]>>,
): string {
  if (column === undefined) return "";
  const { a, b, isSame } = column;
  const own = a === null ? "–" : (texts.a[a] ?? "");
  const other = b === null ? "–" : (texts.b[b] ?? "");
  return `${a ?? b} ${isSame ? own : `${own}≠${other}`}`;
}

interface TableRow {
  readonly pair: PlacedPair;
  readonly layerA: number;
  readonly layerB: number;
  readonly row: number;
}

/** Column by column; a gap has one row, with nothing of the side that is not there and no number. */
function tableRows(state: ComparedState, rows: readonly TableRow[]): Cell[][] {
  const { a, b, alignment, compared } = state;
  const { pairs, target } = compared;
  const token = (tokens: readonly Token[], index: number | null): Cell[] => [
    index,
    index === null ? null : (tokens[index]?.id ?? null),
    index === null ? null : (tokens[index]?.text ?? null),
  ];
  const placeOf = (column: number): Cell[] => {
    const { a: indexA, b: indexB, isSame } = alignment.columns[column] ?? { a: null, b: null, isSame: false };
    return [column, ...token(a, indexA), ...token(b, indexB), isSame ? 1 : 0];
  };
  const width = COLUMNS.length + (target === null ? 0 : TARGET_COLUMNS.length);
  const filled = (cells: Cell[]): Cell[] => [...cells, ...new Array<Cell>(width - cells.length).fill(null)];
  const gaps = alignment.columns.flatMap((column, i) =>
    pairOf(column) === null ? [{ column: i, cells: filled(placeOf(i)) }] : [],
  );
  const read = rows.map(({ pair, layerA, layerB, row }) => {
    const choices = pairs.firstChoices(pair, row);
    const place = target?.target(pair, row) ?? null;
    const cells: Cell[] = [
      ...placeOf(pair.column),
      layerA,
      layerB,
      pairs.klAToBNats(pair, row),
      pairs.klBToANats(pair, row),
      pairs.jsNats(pair, row),
      choices?.aId ?? null,
      choices === null ? null : pairs.text(choices.aId),
      choices?.aProbability ?? null,
      choices?.bId ?? null,
      choices === null ? null : pairs.text(choices.bId),
      choices?.bProbability ?? null,
      ...(target === null || place === null
        ? []
        : [target.tokenId, target.text, place.aProbability, place.aRank, place.bProbability, place.bRank]),
    ];
    return { column: pair.column, cells: filled(cells) };
  });
  return [...read, ...gaps].toSorted((one, other) => one.column - other.column).map(({ cells }) => cells);
}
