/** The picture of a view, with its frame. */
import { type Drawing, FigureTooLarge, framed } from "@/charts/figure/figure";
import { onOneLine, placeOf, placeWords } from "@/model/notes";
import { type ExportSource, type ViewExport, notesOnExport } from "./viewExport";

/** The whole figure with its frame. Throws FigureTooLarge. */
export function exportFigure(viewExport: ViewExport, source: ExportSource): Drawing {
  const { model, lens, conversationId, conversationTitle, at } = source;
  const revision = model.revision === null ? "" : `, revision ${model.revision.slice(0, 12)}`;
  return framed(
    {
      title: viewExport.title,
      facts: [
        `${source.view.title} view. Model ${model.model_name} (${model.source}${revision}, ${model.dtype}), ${lens} lens`,
        ...(conversationTitle === null ? [] : [`Conversation “${onOneLine(conversationTitle, MAX_TITLE)}”`]),
        ...viewExport.facts,
        ...noteFacts(viewExport, source),
      ],
      note: `Computed in float32 over the whole vocabulary at temperature 1. Mechanistic Explorer${conversationId === null ? "" : `, conversation ${conversationId}`}, ${at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    },
    viewExport.draw(),
  );
}

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

/** A browser's canvas draws nothing, without a word, where a side is longer or the area much larger. */
const MAX_SIDE = 16_384;
const MAX_PIXELS = 120_000_000;

/** Pixels per px of the figure: 2, or 1 where 2 are too many. Throws FigureTooLarge. */
export function pixelScale({ width, height }: Drawing): 1 | 2 {
  for (const scale of [2, 1] as const) {
    const fits = Math.max(width, height) * scale <= MAX_SIDE && width * height * scale ** 2 <= MAX_PIXELS;
    if (fits) return scale;
  }
  throw new FigureTooLarge(
    `The picture would have ${width} × ${height} pixels; a browser draws ${MAX_SIDE} a side. Take the SVG.`,
  );
}
