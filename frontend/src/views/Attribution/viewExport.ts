/** The Attribution view to take away: every part that is known, with its sum. */
import type { Cell } from "@/features/export/table";
import type { ViewExport } from "@/features/export/viewExport";
import { plainText } from "@/model/bytes";
import { formatNats } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { AttributionResponse } from "@/types/schemas";
import { drawParts } from "./drawParts";
import { partWords } from "./partNames";
import type { PartRow } from "./parts";
import { partsScript } from "./partsScript";

export interface AttributionState {
  readonly tokens: readonly Token[];
  readonly answer: AttributionResponse;
  readonly tree: readonly PartRow[];
  /** The rows on the screen. */
  readonly rows: readonly PartRow[];
}

const COLUMNS = [
  { key: "part", unit: null },
  { key: "level", unit: "1 is the embedding, a block or the final biases; deeper levels are within it" },
  { key: "block", unit: null },
  { key: "head", unit: null },
  { key: "source_index", unit: null },
  { key: "source_text", unit: null },
  { key: "neuron", unit: null },
  { key: "target_logits", unit: "logits" },
  { key: "foil_logits", unit: "logits" },
  { key: "contribution_logits", unit: "logits" },
  { key: "starts_at_logits", unit: "logits" },
] as const;

const allRows = (rows: readonly PartRow[]): PartRow[] =>
  rows.flatMap((row) => [row, ...allRows(row.children ?? [])]);

export function attributionExport({ tokens, answer, tree, rows }: AttributionState): ViewExport {
  const { position, target, foil, foil_kind, difference, sum, residue, softcap } = answer;
  const read = tokens[position];
  const quoted = (text: string): string => `“${cellTextOfText(text)}”`;
  const against =
    foil !== null ? ` less that of ${quoted(foil.text)}` : foil_kind === "mean" ? " less the mean logit" : "";
  const all = allRows(tree);
  return {
    title: `What wrote the logit of ${quoted(target.text)}${against}`,
    facts: [
      `Read at index ${position}${read === undefined ? "" : ` “${cellText(read)}”`}, predicts index ${position + 1}`,
      `Direct effects in logits, the scale of the final norm frozen; sum ${formatNats(sum)}, logit${foil_kind === "none" ? "" : " difference"} ${formatNats(difference)}, residue ${formatNats(residue)}`,
      "Each bar begins at the sum of the parts before it; the dashed line is the sum of all",
      ...(softcap === null ? [] : [`Logits before the softcap of ${softcap}`]),
    ],
    place: `${position}-${target.text}`,
    table: {
      columns: COLUMNS,
      rows: all.map((row): Cell[] => [
        row.kind,
        row.level,
        row.block,
        row.head,
        row.source,
        row.source === null ? null : (tokens[row.source]?.text ?? null),
        row.neuron,
        row.target,
        row.foil,
        row.contribution,
        row.start,
      ]),
    },
    computed: ({ dtype }) =>
      `This token run again in ${dtype}; its parts in float64, but float32 through matrices of more than 2²⁴ numbers`,
    columns: null,
    draw: (layout) =>
      drawParts({ rows, total: difference, wordsOf: (row) => partWords(row, tokens) }, layout),
    places: [{ position, layer: Math.max(0, ...all.map(({ block }) => block ?? 0)) }],
    script: () => partsScript({ answer, rows: all, ids: tokens.slice(0, position + 1).map(({ id }) => id) }),
    json: {
      target: { token_id: target.token_id, text: plainText(target.text), logit: answer.target_logit },
      foil: {
        kind: foil_kind,
        token_id: foil?.token_id ?? null,
        text: foil === null ? null : plainText(foil.text),
        logit: answer.foil_logit,
      },
      difference_logits: difference,
      sum_logits: sum,
      residue_logits: residue,
      softcap,
    },
  };
}
