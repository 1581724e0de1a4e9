/** The Patch view to take away: every cell of the map that is computed. */
import type { ViewExport } from "@/features/export/viewExport";
import { plainText } from "@/model/bytes";
import { formatSigned } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import type { JobInfo } from "@/types/schemas";
import type { PatchDirection } from "./choices";
import { drawMap } from "./drawMap";
import { firstDifference, mapRows, scoreUnit } from "./grid";
import { mapScript } from "./mapScript";
import type { PatchTexts } from "./texts";

interface MapState {
  readonly texts: PatchTexts;
  readonly direction: PatchDirection;
  readonly job: JobInfo;
}

const COLUMNS = [
  { key: "layer", unit: null },
  { key: "a_index", unit: null },
  { key: "a_text", unit: null },
  { key: "b_index", unit: null },
  { key: "b_text", unit: null },
  { key: "logit_difference", unit: "logits" },
  { key: "score", unit: "0 is the run that is changed, 1 the other" },
  { key: "estimate", unit: "a guess by attribution patching, as a score" },
] as const;

export function mapExport({ texts, direction, job }: MapState): ViewExport {
  const { result, assumed } = job;
  const { layers, positions, cells, scores, estimate, answer, foil, clean, corrupt } = result;
  const nSame = texts.pairs[firstDifference(texts)]?.[0] ?? 0;
  const quoted = (text: string): string => `“${cellTextOfText(text)}”`;
  const metric = `${quoted(answer?.text ?? "")} less ${quoted(foil?.text ?? "")}`;
  return {
    title: `Causal map: what carries ${metric} from one text to the other`,
    facts: [
      direction === "denoise"
        ? "States of A are put into B (denoise): score 0 is B alone, 1 is A alone"
        : "States of B are put into A (noise): score 0 is A alone, 1 is B alone",
      `Logit of ${metric} at the last position: A ${formatSigned(clean ?? 0)}, B ${formatSigned(corrupt ?? 0)}`,
      `${result.n_done} of ${result.n_cells} cells, residual streams, one position at a time`,
      ...(nSame === 0
        ? []
        : [
            `The picture begins where A and B begin to differ, at position ${nSame}: nothing is carried before it`,
          ]),
    ],
    place: "map",
    table: {
      columns: COLUMNS,
      rows: layers.flatMap((layer, row) =>
        positions.map(([a = 0, b = 0], pair) => [
          layer,
          a,
          assumed.clean.tokens[a]?.text ?? null,
          b,
          assumed.corrupt.tokens[b]?.text ?? null,
          cells[row]?.[pair] ?? null,
          scores[row]?.[pair] ?? null,
          estimate?.[row]?.[pair] ?? null,
        ]),
      ),
    },
    columns: null,
    draw: (layout) =>
      drawMap(texts, mapRows(job, Math.max(...layers), positions.length), scoreUnit(direction), layout),
    places: [],
    script: () => mapScript(job),
    json: {
      direction,
      answer: answer === null ? null : { token_id: answer.token_id, text: plainText(answer.text) },
      foil: foil === null ? null : { token_id: foil.token_id, text: plainText(foil.text) },
      clean_ids: assumed.clean.tokens.map(({ id }) => id),
      corrupt_ids: assumed.corrupt.tokens.map(({ id }) => id),
      clean_logit_difference: clean,
      corrupt_logit_difference: corrupt,
      rank_correlation_of_estimate: result.rank_correlation,
    },
  };
}
