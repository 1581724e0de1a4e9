import { formatProbability } from "@/model/format";
import type { LayerWord } from "./layerWords";

export const wordElementId = (index: number): string => `layer-word-${index}`;

/** A word for those who hear it: `London, probability 0.120; the text has Paris; changed`. */
export function wordName(word: LayerWord, body: string, actual: string): string {
  const said = `${body}, probability ${formatProbability(word.probability)}`;
  const changed = word.hasChanged ? "; changed" : "";
  switch (word.kind) {
    case "first":
      return `${body}, the first token, not predicted`;
    case "unread":
      return `not read yet; the text has ${actual}`;
    case "actual":
      return `${said}; stands in the text${changed}`;
    case "output":
      return `${said}; the output’s choice, the text has ${actual}${changed}`;
    case "other":
      return `${said}; the text has ${actual}${changed}`;
  }
}
