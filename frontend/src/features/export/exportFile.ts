/** The forms in which a view can be taken away, and each as a file. */
import { type Drawing, FigureTooLarge, framed } from "@/charts/figure/figure";
import { layerOf, onOneLine, placeOf, placeWords } from "@/model/notes";
import type { Token } from "@/model/timeline";
import { type ViewExport, type ExportSource, fileName, notesOnExport } from "./viewExport";
import { pythonNotebook, pythonScript } from "./script";
import { type Table, toCsv, toRecords } from "./table";

export type FileFormat = "png" | "svg" | "csv" | "json" | "py" | "ipynb";

export interface ExportFile {
  readonly form: Exclude<FileFormat, "png">;
  readonly name: string;
  readonly mime: string;
  readonly text: string;
}

/** Everything but the picture in pixels, which needs a browser. Throws FigureTooLarge. */
export function exportFile(form: ExportFile["form"], viewExport: ViewExport, from: ExportSource): ExportFile {
  const stem = fileName(from, viewExport.place);
  const file = (mime: string, text: string): ExportFile => ({ form, name: `${stem}.${form}`, mime, text });
  switch (form) {
    case "svg":
      return file("image/svg+xml", exportFigure(viewExport, from).svg);
    case "csv":
      return file("text/csv;charset=utf-8", toCsv(withSource(viewExport.table, from)));
    case "json":
      return file("application/json", `${JSON.stringify(exportJson(viewExport, from), null, 1)}\n`);
    case "py":
      return file("text/x-python", pythonScript(viewExport, from, stem));
    case "ipynb":
      return file("application/x-ipynb+json", pythonNotebook(viewExport, from, stem));
  }
}

/** The whole figure with its frame. Throws FigureTooLarge. */
export function exportFigure(viewExport: ViewExport, from: ExportSource): Drawing {
  const { model, lens, conversationId, conversationTitle, at } = from;
  const revision = model.revision === null ? "" : `, revision ${model.revision.slice(0, 12)}`;
  return framed(
    {
      title: viewExport.title,
      facts: [
        `${from.view.title} view. Model ${model.model_name} (${model.source}${revision}, ${model.dtype}), ${lens} lens`,
        ...(conversationTitle === null ? [] : [`Conversation “${onOneLine(conversationTitle, MAX_TITLE)}”`]),
        ...viewExport.facts,
        ...noteFacts(viewExport, from),
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

function noteFacts(viewExport: ViewExport, from: ExportSource): string[] {
  const notes = notesOnExport(viewExport, from);
  const more = notes.length - MAX_NOTES_IN_PICTURE;
  return [
    ...notes
      .slice(0, MAX_NOTES_IN_PICTURE)
      .map(
        (note) =>
          `Note on ${placeWords(placeOf(note), from.tokens)}: ${onOneLine(note.text, MAX_NOTE_IN_PICTURE)}`,
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

/** Each row says of which model and lens it is, so that a file explains itself. */
const withSource = ({ columns, rows }: Table, { model, lens }: ExportSource): Table => ({
  columns: [{ key: "model", unit: null }, { key: "lens", unit: null }, ...columns],
  rows: rows.map((row) => [model.model_name, lens, ...row]),
});

function exportJson(viewExport: ViewExport, from: ExportSource): unknown {
  const { model, lens, view, conversationId, conversationTitle, tokens, at } = from;
  const { other } = viewExport;
  return {
    format: "mechanistic-explorer-export",
    version: 1,
    exported_at: at.toISOString(),
    view: view.id,
    title: viewExport.title,
    facts: viewExport.facts,
    model: {
      name: model.model_name,
      source: model.source,
      revision: model.revision,
      architecture: model.architecture,
      num_layers: model.num_layers,
      vocab_size: model.vocab_size,
      dtype: model.dtype,
      device: model.device,
    },
    lens,
    conversation_id: conversationId,
    conversation_title: conversationTitle,
    tokens: tokens.map(plainToken),
    notes: notesOnExport(viewExport, from).map((note) => ({
      start: note.start,
      end: note.end,
      layer: layerOf(note),
      text: note.text,
    })),
    ...(other === null
      ? {}
      : {
          other: {
            lens: other.lens,
            conversation_id: other.conversationId,
            tokens: other.tokens.map(plainToken),
          },
        }),
    columns: viewExport.table.columns,
    rows: toRecords(viewExport.table),
  };
}

const plainToken = ({ index, id, text, bytes, role }: Token) => ({ index, id, text, bytes, role });
