/**
 * What a view gives to be taken away: the numbers on the screen, once as a table, once as a drawing,
 * and once as places in the model that a script can compute again. A view makes it when it is asked.
 */
import type { Drawing } from "@/charts/figure/figure";
import type { LensKind } from "@/model/lenses";
import { type Note, notesAtPlaces } from "@/model/notes";
import type { Token } from "@/model/timeline";
import type { components } from "@/types/api";
import type { Table } from "./table";

/** The probability of one token, or of several added up, at one layer of one position. */
export interface ShownProbability {
  readonly position: number;
  readonly layer: number;
  readonly tokenIds: readonly number[];
  readonly probability: number;
  /** Null for a sum. */
  readonly rank: number | null;
}

/** What is said of a whole prediction, at one layer of one position. */
export interface ShownPrediction {
  readonly position: number;
  readonly layer: number;
  readonly entropyNats: number;
  readonly klToFinalNats: number;
}

/** Two predictions beside each other: at a layer of one position, and at a layer of a position of the other timeline. */
export interface ShownComparison {
  readonly position: number;
  readonly layer: number;
  readonly otherPosition: number;
  readonly otherLayer: number;
  /** KL(this ‖ other) and KL(other ‖ this). */
  readonly klToOtherNats: number;
  readonly klFromOtherNats: number;
  readonly jsNats: number;
}

/** A timeline that is shown beside the conversation, and what is shown of it. */
export interface OtherTimeline {
  /** Null where it is no saved conversation. */
  readonly conversationId: string | null;
  readonly lens: LensKind;
  readonly tokens: readonly Token[];
  readonly probabilities: readonly ShownProbability[];
  readonly comparisons: readonly ShownComparison[];
}

export interface ViewExport {
  /** One line: what is shown. */
  readonly title: string;
  /** What else a reader must know: where it was read, the metric, what is missing. */
  readonly facts: readonly string[];
  /** Which part of the conversation, for the file's name: `13-Paris`. */
  readonly place: string;
  readonly table: Table;
  /** Throws FigureTooLarge. */
  readonly draw: () => Drawing;
  readonly probabilities: readonly ShownProbability[];
  readonly predictions: readonly ShownPrediction[];
  /** Null where the view is of one timeline. */
  readonly other: OtherTimeline | null;
}

/** Where an viewExport is from: the same for every view. */
export interface ExportSource {
  readonly view: { readonly id: string; readonly title: string };
  readonly model: components["schemas"]["ModelInfo"];
  readonly lens: LensKind;
  readonly conversationId: string | null;
  /** Of the conversation; null where the server has not told it. */
  readonly conversationTitle: string | null;
  readonly tokens: readonly Token[];
  /** All notes of the branch. */
  readonly notes: readonly Note[];
  readonly at: Date;
}

/** The notes on what an viewExport shows. */
export const notesOnExport = ({ probabilities, predictions }: ViewExport, { notes }: ExportSource): Note[] =>
  notesAtPlaces(notes, [...probabilities, ...predictions]);

/** One conversation has many exports: the name tells them apart, and no system refuses it. */
export function fileName({ view, lens, model, conversationId }: ExportSource, place: string): string {
  const parts = [
    safe(model.model_name.split(/[\\/]/).at(-1) ?? ""),
    safe((conversationId ?? "").slice(0, 8)),
    safe(view.id),
    safe(place),
    lens === "logit" ? "" : lens,
  ];
  return ["explorer", ...parts].filter((part) => part !== "").join("_");
}

const MAX_PART = 40;

/** Letters, digits, hyphens and dots of ASCII; what else there is becomes a hyphen. */
const safe = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .slice(0, MAX_PART)
    .replace(/^[-.]+|[-.]+$/g, "");
