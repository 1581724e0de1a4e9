/** The numbers that can be drawn of a head and a source: their names, meanings and forms. */
import { formatNats, formatProbability, formatSigned } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import type { AttentionResponse } from "@/types/schemas";

/** `readBy` are weights too, those that later tokens give to the selected one. */
export type Kind = AttentionResponse["kind"] | "readBy";

/** What the colour of a head can stand for: all that it reads outside the first token, or the most of one token. */
export const CELLS = ["outside", "largest"] as const;
export type CellMeasure = (typeof CELLS)[number];

interface KindFacts {
  readonly label: string;
  /** One line: what a number is. */
  readonly meaning: string;
  /** What the colour of a head in the grid is, by the measure that is chosen. */
  readonly cells: Readonly<Record<CellMeasure, string>>;
  /** How several heads become one number for a source. */
  readonly together: "mean" | "sum";
  readonly isSigned: boolean;
  /** Null where the number has none. */
  readonly unit: string | null;
}

export const KINDS: Readonly<Record<Kind, KindFacts>> = {
  weight: {
    label: "Weight",
    meaning:
      "How much attention each token gets: the model’s own softmax weights, which sum to 1 in each head.",
    cells: {
      outside: "attention outside the first token",
      largest: "largest attention to one token other than the first",
    },
    together: "mean",
    isSigned: false,
    unit: null,
  },
  norm: {
    label: "Value norm",
    meaning:
      "How much each token writes: the length of weight × value through the output projection, in units of the stream.",
    cells: {
      outside: "length written from outside the first token",
      largest: "largest length written from one token other than the first",
    },
    together: "mean",
    isSigned: false,
    unit: "stream units",
  },
  readBy: {
    label: "Read by",
    meaning:
      "How much of its attention each later token gives to the selected one: the model’s own softmax weights.",
    cells: {
      outside: "attention that later tokens give to it, added up",
      largest: "largest attention that one later token gives to it",
    },
    together: "mean",
    isSigned: false,
    unit: null,
  },
  logit: {
    label: "Logit",
    meaning: "What each token adds, through the head and directly, to",
    cells: { outside: "contribution of the head", largest: "contribution of the head" },
    together: "sum",
    isSigned: true,
    unit: "logits",
  },
};

export function formatValue(kind: Kind, value: number): string {
  if (kind === "logit") return formatSigned(value);
  // Of several tokens they add up to more than 1.
  if (kind === "readBy" && value > 1) return formatNats(value);
  // An exact zero is a token that the head cannot see, such as one outside its window.
  if (value === 0) return "0";
  return kind === "norm" ? formatNats(value) : formatProbability(value);
}

/** A value with its unit, in a sentence. */
export function valueInWords(kind: Kind, value: number): string {
  const { unit } = KINDS[kind];
  return unit === null ? formatValue(kind, value) : `${formatValue(kind, value)} ${unit}`;
}

/** What the logit is of: `“·Paris” − “·Lyon”`. */
export function logitName({
  target,
  foil,
  foil_kind,
}: Pick<AttentionResponse, "target" | "foil" | "foil_kind">) {
  const name = target === null ? "the target" : `“${cellTextOfText(target.text)}”`;
  if (foil !== null) return `${name} − “${cellTextOfText(foil.text)}”`;
  return foil_kind === "mean" ? `${name} − the mean of all logits` : name;
}

export const meaningOf = (kind: Kind, rows: Parameters<typeof logitName>[0] | null): string =>
  kind === "logit"
    ? `${KINDS.logit.meaning} the logit of ${rows === null ? "the target less the foil’s" : logitName(rows)}.`
    : KINDS[kind].meaning;
