/**
 * Numbers as a table to take away: CSV for spreadsheets, JSON for programs. Both come from the same
 * columns, so that they cannot differ.
 */
import { plainText } from "@/model/bytes";

export interface Column {
  /** Name in JSON, as the API has it: `entropy_nats`. */
  readonly key: string;
  /** Unit or range, for the heading: `nats`. Null for what has none. */
  readonly unit: string | null;
}

/** Null is a value that does not exist, such as the rank of a token where none follows yet. */
export type Cell = string | number | null;

export interface Table {
  readonly columns: readonly Column[];
  /** As many cells as there are columns. */
  readonly rows: readonly (readonly Cell[])[];
}

/** Heading in CSV: `entropy [nats]`. A suffix of the key that repeats the unit is left out. */
export function heading({ key, unit }: Column): string {
  if (unit === null) return key;
  return `${key.endsWith(`_${unit}`) ? key.slice(0, -unit.length - 1) : key} [${unit}]`;
}

/** RFC 4180, with a byte order mark, without which spreadsheets read UTF-8 as something else. */
export function toCsv({ columns, rows }: Table): string {
  const lines = [columns.map((column) => csvText(heading(column))), ...rows.map((row) => row.map(csvCell))];
  return `\ufeff${lines.map((cells) => `${cells.join(",")}\r\n`).join("")}`;
}

function csvCell(cell: Cell): string {
  if (cell === null) return "";
  return typeof cell === "number" ? numberText(cell) : csvText(cell);
}

/** A spreadsheet runs what begins like this, also after blanks and in full-width form. */
const FORMULA = /^\s*[=+\-@＝＋－＠]/u;
/** What few spreadsheets and parsers keep; written as `\n` or `\x00`, so that a row stays a line. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\0-\x1f\x7f]/g;
const NAMED: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Quoted where it has to be; a cell that would be run as a formula gets an apostrophe before it. */
function csvText(text: string): string {
  const seen = plainText(text).replace(
    CONTROLS,
    (control) => NAMED[control] ?? `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  const safe = FORMULA.test(seen) ? `'${seen}` : seen;
  return /[",']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A number with as many digits as a 32-bit float has, which is how all of them were computed. */
export const numberText = (value: number): string => String(asFloat32(value));

/**
 * The shortest decimal of the same 32-bit float: typed arrays give back 0.43 as 0.4300000071525574.
 * Whole numbers stay whole.
 */
export function asFloat32(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return Number(value.toPrecision(9));
}

/** The rows as objects, by the keys of the columns. */
export const toRecords = ({ columns, rows }: Table): Record<string, Cell>[] =>
  rows.map((row) =>
    Object.fromEntries(
      columns.map(({ key }, i) => {
        const cell = row[i] ?? null;
        return [key, typeof cell === "number" ? asFloat32(cell) : cell === null ? null : plainText(cell)];
      }),
    ),
  );
