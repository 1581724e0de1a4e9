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
      return `not read yet; actual token ${actual}`;
    case "actual":
      return `${said}; the actual token${changed}`;
    case "output":
      return `${said}; final-layer top-1, actual token ${actual}${changed}`;
    case "other":
      return `${said}; actual token ${actual}${changed}`;
  }
}
