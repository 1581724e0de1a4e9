/** The figure of a view: what its caption says, and the whole as an SVG document. */
import { type Figure, type FigureStyle, framed } from "@/charts/figure/figure";
import { onOneLine, placeOf, placeWords } from "@/model/notes";
import { type ExportSource, type ViewExport, isThroughLens, notesOnExport } from "./viewExport";

/** Throws FigureTooLarge. Its fonts are not embedded yet. */
export const exportFigure = (viewExport: ViewExport, source: ExportSource, style: FigureStyle): Figure =>
  framed(
    { title: viewExport.title, caption: captionOf(viewExport, source) },
    (layout) => viewExport.draw(layout),
    style,
  );

/** Whole sentences: what is shown, how it was read, and from where. */
export function captionOf(viewExport: ViewExport, source: ExportSource): string[] {
  const { view, model, lens, conversationTitle, at } = source;
  const revision = model.revision === null ? "" : `, revision ${model.revision.slice(0, 12)}`;
  return [
    `${view.title} view. Model ${model.model_name} (${model.source}${revision}, ${model.dtype})${isThroughLens(source) ? `, ${lens} lens` : ""}`,
    ...(conversationTitle === null ? [] : [`Conversation “${onOneLine(conversationTitle, MAX_TITLE)}”`]),
    ...viewExport.facts,
    ...noteFacts(viewExport, source),
    viewExport.computed?.(model) ?? THROUGH_LENS,
    `Mechanistic Explorer, ${at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
  ].map((fact) => (/[.!?]$/.test(fact) ? fact : `${fact}.`));
}

const THROUGH_LENS = "Computed in float32 over the whole vocabulary at temperature 1";

const MAX_TITLE = 80;

/** More notes, or longer ones, would leave no room for what they are on. */
const MAX_NOTES_IN_PICTURE = 12;
const MAX_NOTE_IN_PICTURE = 300;

function noteFacts(viewExport: ViewExport, source: ExportSource): string[] {
  const notes = notesOnExport(viewExport, source);
  const more = notes.length - MAX_NOTES_IN_PICTURE;
  return [
    ...notes
      .slice(0, MAX_NOTES_IN_PICTURE)
      .map(
        (note) =>
          `Note on ${placeWords(placeOf(note), source.tokens)}: ${onOneLine(note.text, MAX_NOTE_IN_PICTURE)}`,
      ),
    ...(more > 0 ? [`${more} more notes are in the JSON`] : []),
  ];
}
