/** The Attention view to take away: what the locked head, or every head, reads of each token. */
import type { Cell } from "@/features/export/table";
import type { ViewExport } from "@/features/export/viewExport";
import type { Timeline } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import { attentionScript } from "./attentionScript";
import { drawAttention } from "./drawAttention";
import { type Rows, type Scope, firstOf, headsIn, learnedSink, scopeName, sourceValues } from "./heads";
import { type CellMeasure, KINDS, logitName } from "./kinds";
import { messagesUpTo, sumsOf } from "./messages";

export interface AttentionState {
  readonly timeline: Timeline;
  readonly rows: Rows;
  readonly scope: Scope;
  readonly measure: CellMeasure;
  readonly withSink: boolean;
}

const COLUMNS = [
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "block", unit: "from 1" },
  { key: "head", unit: "from 0" },
  { key: "source_index", unit: "empty: no token" },
  { key: "source_token_id", unit: null },
  { key: "source_text", unit: null },
  { key: "message", unit: null },
] as const;

const VALUE_COLUMNS = {
  weight: { key: "attention_weight", unit: "0 to 1" },
  readBy: { key: "attention_weight", unit: "0 to 1" },
  norm: { key: "written_norm", unit: "stream units" },
  logit: { key: "logit_contribution", unit: "logits" },
} as const;

const MEANINGS = {
  weight: "Attention weights",
  readBy: "Attention weights that each token from this one on gives to it",
  norm: "Length of weight × value through the output projection (Kobayashi et al. 2020)",
  logit: "Direct contributions",
} as const;

const COMPUTED_IN = {
  weight: "its attention weights in float32",
  readBy: "attention weights in float32",
  norm: "weights and lengths in float32",
  logit:
    "weights in float32, contributions in float64, but float32 through matrices of more than 2²⁴ numbers",
} as const;

export function attentionExport({ timeline, rows, scope, measure, withSink }: AttentionState): ViewExport {
  const { tokens } = timeline;
  const { position, kind, blocks, values, without_pattern, target, foil, foil_kind } = rows;
  const read = tokens[position];
  const readText = read === undefined ? "" : `“${cellText(read)}”`;
  const heads = headsIn(rows, scope);
  const isReadBy = kind === "readBy";
  const first = firstOf(rows);
  const messages = isReadBy
    ? messagesUpTo(timeline, tokens.length - 1, position)
    : messagesUpTo(timeline, position);
  const messageOf = new Map(messages.flatMap(({ name, indices }) => indices.map((index) => [index, name])));
  const sums = sumsOf(messages, sourceValues(rows, scope));
  const shown = scope.kind === "head" ? "" : ` (${KINDS[kind].together} over ${heads.length} heads)`;
  return {
    title: `What ${isReadBy ? `reads ${readText}` : `${readText} reads`}: ${scopeName(scope).toLowerCase()}`,
    facts: [
      `${isReadBy ? "Source: index" : "Read at index"} ${position} ${readText}`,
      kind === "logit" ? `${MEANINGS.logit} to the logit of ${logitName(rows)}` : MEANINGS[kind],
      `The bars are of ${scopeName(scope).toLowerCase()}${shown}; the colours of the grid are: ${KINDS[kind].cells[measure]}`,
      ...(withSink || isReadBy ? [] : ["The first token is left out of the scale"]),
      ...(without_pattern.length === 0 ? [] : [`Without attention: block ${without_pattern.join(", ")}`]),
    ],
    place: `${position}-${read?.text ?? ""}-${kind}`,
    table: {
      columns: [...COLUMNS, VALUE_COLUMNS[kind]],
      rows: heads.flatMap(({ block, head }) => {
        const named = (index: number): Cell[] => [
          index,
          tokens[index]?.id ?? null,
          tokens[index]?.text ?? null,
        ];
        const place: Cell[] = [...named(position), block, head];
        const row = values[blocks.indexOf(block)]?.[head] ?? [];
        const sink = learnedSink(rows, { kind: "head", block, head });
        return [
          ...row.slice(first).map((value, at): Cell[] => {
            const other = first + at;
            const ends = isReadBy
              ? [...named(other), block, head, ...named(position)]
              : [...place, ...named(other)];
            return [...ends, messageOf.get(isReadBy ? position : other) ?? null, value];
          }),
          ...(sink === null ? [] : [[...place, null, null, null, "no token (learned sink)", sink]]),
        ];
      }),
    },
    computed: ({ dtype }) =>
      `${isReadBy ? "Attention run again" : "This token run again"} in ${dtype}; ${COMPUTED_IN[kind]}`,
    columns: null,
    draw: (layout) => drawAttention({ rows, tokens, scope, messages, measure, withSink }, layout),
    places: [...new Set(heads.map(({ block }) => block))].map((layer) => ({ position, layer })),
    script: () => attentionScript(rows, heads, tokens),
    json: {
      kind,
      scope: scopeName(scope),
      target_token_id: target?.token_id ?? null,
      foil_kind,
      foil_token_id: foil?.token_id ?? null,
      blocks_without_attention: without_pattern,
      messages: messages.map(({ name, indices }, at) => ({ name, indices, value: sums[at] ?? null })),
    },
  };
}
