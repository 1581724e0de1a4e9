/** Pieces of an exported Python program, and how values are written in it. */
import type { LensKind } from "@/model/lenses";
import { asFloat32 } from "./table";

export interface ScriptSection {
  readonly kind: "text" | "code";
  readonly lines: readonly string[];
}

/**
 * The part of the program that is a view's own. Around it stand the imports, the model, `compare`,
 * which counts and prints each number, and the verdict.
 */
export interface ViewScript {
  /** Whether it computes under the interventions that its source names. */
  readonly isUnderInterventions?: true;
  /** Modules of the standard library that it needs. */
  readonly imports: readonly string[];
  /** Lenses whose files it loads, under the names of `lensFileName`. */
  readonly lenses: readonly LensKind[];
  /** How many numbers it compares; too many are refused. */
  readonly nNumbers: number;
  /** Exact inputs of the model, such as the token ids. */
  readonly inputs: readonly ScriptSection[];
  /** The numbers of the page, and functions that compute them again. */
  readonly sections: readonly ScriptSection[];
  /** Calls these functions. */
  readonly run: readonly string[];
}

export const code = (...lines: readonly string[]): ScriptSection => ({ kind: "code", lines });

/** A Python string literal; surrogate pairs stay characters, as they are in JSON. */
export const literal = (text: string): string => JSON.stringify(text);

/** A text that may stand in a comment or a docstring: one line, nothing that ends it. */
export const comment = (text: string): string => text.replace(/[\\"\r\n]/g, "’");

export const pythonNumber = (value: number): string =>
  Number.isFinite(value) ? String(asFloat32(value)) : 'float("nan")';

const MAX_LINE = 100;

/** A list of short items, wrapped. */
export function wrappedList(items: readonly string[]): string {
  const lines: string[] = [];
  let line = "   ";
  for (const item of items) {
    if (line.length + item.length + 2 > MAX_LINE) {
      lines.push(line);
      line = "   ";
    }
    line += ` ${item},`;
  }
  return `[\n${[...lines, line].join("\n")}\n]`;
}

/** A list of tuples, one a line. */
export const tupleList = (rows: readonly (readonly string[])[]): string =>
  `[\n${rows.map((row) => `    (${row.join(", ")}),\n`).join("")}]`;
