import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import type { PartRow } from "./parts";

/** What a row is of, in words; of a word that was read its index. */
export function partName({ kind, block, head, neuron, source, count }: PartRow): string {
  switch (kind) {
    case "embed":
      return "Embedding";
    case "position":
      return "Position";
    case "block":
      return `Block ${block ?? ""}`;
    case "attn":
      return "Attention";
    case "mlp":
      return "MLP";
    case "mixer":
      return "Mixer";
    case "head":
      return `Head ${head ?? ""}`;
    case "source":
      return `Index ${source ?? ""}`;
    case "neuron":
      return `Neuron ${neuron ?? ""}`;
    case "bias":
      return block === null ? "Final biases" : "Bias";
    case "rest":
      return count === null ? "Other neurons" : `${count} other ${count === 1 ? "word" : "words"}`;
  }
}

/** The same with the text of a word that was read. */
export function partWords(row: PartRow, tokens: readonly Token[]): string {
  const word = row.source === null ? undefined : tokens[row.source];
  return word === undefined ? partName(row) : `${cellText(word)}, index ${word.index}`;
}
