import type { LensColumns } from "@/reading/columns";
import type { LayerWord } from "./layerWords";
import type { WordForm, WordForms } from "./wordForms";

/** Stands, hatched, where nothing is read. */
const UNREAD: WordForm = { lead: " ", body: "\u2007\u2007\u2007" };

/** The token that stands in the text is also what is shown. */
export const isInText = ({ kind }: LayerWord): boolean => kind === "actual" || kind === "first";

/** How a word is written among the words shown, `byIndex`. */
export function formOf(
  word: LayerWord,
  forms: WordForms,
  columns: LensColumns,
  byIndex: ReadonlyMap<number, LayerWord>,
): WordForm {
  if (word.kind === "unread") return UNREAD;
  if (!isInText(word)) return forms.predicted(word.tokenId, columns.text(word.tokenId));
  return forms.inPlace(word.index, (index) => {
    const before = byIndex.get(index);
    return before !== undefined && isInText(before);
  });
}
