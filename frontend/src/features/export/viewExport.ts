/** The export of a view: the numbers on the screen as a table, as a drawing and as a program. */
import type { Span } from "@/base/span";
import type { Drawing, FigureLayout } from "@/charts/figure/figure";
import type { LensKind } from "@/model/lenses";
import { type Note, notesAtPlaces } from "@/model/notes";
import type { Steering, Token } from "@/model/timeline";
import type { components } from "@/types/api";
import type { ScriptInterventions } from "./interventionsScript";
import type { ViewScript } from "./scriptSection";
import type { Table } from "./table";

export interface ViewExport {
  /** One line: what is shown. */
  readonly title: string;
  /** What else a reader must know: where it was read, the metric, what is missing. */
  readonly facts: readonly string[];
  /** Which part of the conversation, for the file's name: `13-Paris`. */
  readonly place: string;
  readonly table: Table;
  /** The columns that a figure can be cut to; null where it is always whole. */
  readonly columns: FigureColumns | null;
  /** Throws FigureTooLarge. */
  readonly draw: (layout: FigureLayout) => Drawing;
  /** The places in the model that were read; the notes on them are exported too. */
  readonly places: readonly { readonly position: number; readonly layer: number }[];
  readonly script: (source: ExportSource) => ViewScript;
  /** How the numbers were computed, a whole sentence; as every view that reads through a lens where it is left out. */
  readonly computed?: (model: ExportSource["model"]) => string;
  /** What its numbers were computed under, in a view that makes changes of its own; else what the branch was. */
  readonly steering?: Steering;
  /** B, in a view that shows it, where it was computed under interventions. */
  readonly other?: { readonly steering: Steering; readonly tokens: readonly Token[] };
  /** More fields of the JSON. */
  readonly json?: Readonly<Record<string, unknown>>;
}

export interface FigureColumns {
  /** Names the numbers: the tokens' indices, or columns of the view's own. */
  readonly of: "Index" | "Column";
  readonly all: Span;
  /** Those on the screen. */
  readonly shown: Span;
}

/** Views that read do so through a lens; those of the other groups show the model itself. */
export const isThroughLens = ({ view }: Pick<ExportSource, "view">): boolean => view.group === "read";

/** Where an export is from: the same for every view. */
export interface ExportSource {
  readonly view: { readonly id: string; readonly title: string; readonly group: string };
  readonly model: components["schemas"]["ModelInfo"];
  readonly lens: LensKind;
  readonly conversationId: string | null;
  /** Null while the server has not sent it. */
  readonly conversationTitle: string | null;
  readonly tokens: readonly Token[];
  /** What the numbers were computed under; left out for the plain model. */
  readonly steering?: Steering;
  /** The same for a program, and for that of B; only there while one is made. */
  readonly interventions?: ScriptInterventions;
  readonly otherInterventions?: ScriptInterventions;
  /** All notes of the branch. */
  readonly notes: readonly Note[];
  readonly at: Date;
}

/** The notes on the places that an export shows. */
export const notesOnExport = ({ places }: ViewExport, { notes }: ExportSource): Note[] =>
  notesAtPlaces(notes, places);
