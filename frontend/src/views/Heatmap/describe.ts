import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerTitle } from "@/model/layers";
import { cellTextOfText } from "@/model/tokens";
import type { Cell } from "@/reading/columns";

interface DescribedPlace {
  readonly position: number;
  readonly layer: number;
  /** Cell forms of the token read at and of the one after it. */
  readonly readText: string;
  readonly nextText: string | null;
  /** What else there is to say of the cell, such as that it is outlined. */
  readonly notes: readonly string[];
}

/** A cell in one sentence, for those who hear the grid. */
export function describeCell(
  { position, layer, readText, nextText, notes }: DescribedPlace,
  cell: Cell | null,
): string {
  const place = `${layerTitle(layer)}, read at index ${position} “${readText}”`;
  const predicts = nextText === null ? "nothing follows yet" : `predicts index ${position + 1} “${nextText}”`;
  const top = cell?.predictions[0];
  if (cell === null || top === undefined) return `${place}, ${predicts}: not read yet`;
  const next =
    cell.nextRank === null
      ? ""
      : `; actual next token rank ${formatRank(cell.nextRank)}, probability ${formatProbability(cell.nextProbability)}`;
  return (
    `${place}, ${predicts}: top-1 “${cellTextOfText(top.text)}”, probability ${formatProbability(top.probability)}` +
    `${next}; entropy ${formatNats(cell.entropyNats)} nats; KL to final ${formatNats(cell.klToFinalNats)} nats` +
    notes.map((note) => `; ${note}`).join("")
  );
}
