/**
 * The numbers of a view as a Python program that computes them again: nnsight, transformers and torch,
 * none of this project's code. It holds the exact token ids and the numbers that were on the screen,
 * and fails where one of them does not come out.
 */
import { FigureTooLarge } from "@/charts/figure/figure";
import type { LensKind } from "@/model/lenses";
import { placeOf, placeWords } from "@/model/notes";
import type { Token } from "@/model/timeline";
import {
  type ViewExport,
  type ExportSource,
  type ShownComparison,
  type ShownPrediction,
  type ShownProbability,
  notesOnExport,
} from "./viewExport";
import { COMPARE, COMPARE_PAIRS, COMPARE_TIMELINE, VERDICT } from "./scriptComparing";
import { CAPTURE, DECODE, lensFileName, lensLines, literal, loadLines } from "./scriptParts";
import { asFloat32 } from "./table";

/** More rows than this make a script that no editor likes to open. */
const MAX_ROWS = 60_000;

type Language = "script" | "notebook";

interface Section {
  readonly kind: "text" | "code";
  readonly lines: readonly string[];
}

/** A text that may stand in a comment or a docstring: one line, nothing that ends it. */
const comment = (text: string): string => text.replace(/[\\"\r\n]/g, "’");

export function pythonScript(viewExport: ViewExport, from: ExportSource, name: string): string {
  const [intro, ...rest] = sections(viewExport, from, name, "script");
  const docstring = ['"""', ...(intro?.lines ?? []), '"""'].join("\n");
  const parts = rest.map((each) => each.lines.join("\n"));
  // Functions have two blank lines around them, everything else one.
  const isFunction = parts.map((part) => part.includes("\ndef ") || part.startsWith("def "));
  const spaced = parts.map((part, i) =>
    isFunction[i] || isFunction[i - 1] ? `\n\n\n${part}` : `\n\n${part}`,
  );
  return `${docstring}${spaced.join("")}\n`;
}

/** The same in cells (nbformat 4.5). */
export function pythonNotebook(viewExport: ViewExport, from: ExportSource, name: string): string {
  const cells = sections(viewExport, from, name, "notebook").map(({ kind, lines }, i) => {
    const source = lines.map((line, at) => (at < lines.length - 1 ? `${line}\n` : line));
    return kind === "text"
      ? { cell_type: "markdown", id: `cell-${i}`, metadata: {}, source }
      : { cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null, outputs: [], source };
  });
  const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

/** One timeline with what is shown of it, and the names that it has in the program. */
interface ScriptSide {
  readonly title: string;
  /** Before each name: nothing, or `OTHER_`. */
  readonly prefix: string;
  readonly lens: LensKind;
  readonly ids: readonly number[];
  readonly probabilities: readonly ShownProbability[];
  readonly predictions: readonly ShownPrediction[];
}

/** What is predicted at the last position may be known too; nothing after it has any influence. */
const idsUpTo = (tokens: readonly Token[], positions: readonly number[]): number[] =>
  tokens.slice(0, Math.max(-1, ...positions) + 1).map((token) => token.id);

const positionsOf = (rows: readonly { readonly position: number }[]): number[] => [
  ...new Set(rows.map((row) => row.position)),
];

function sidesOf({ probabilities, predictions, other }: ViewExport, from: ExportSource): ScriptSide[] {
  const comparisons = other?.comparisons ?? [];
  const positions = positionsOf([...probabilities, ...predictions, ...comparisons]);
  const own: ScriptSide = {
    title: other === null ? "" : "A: ",
    prefix: "",
    lens: from.lens,
    ids: idsUpTo(from.tokens, positions),
    probabilities,
    predictions,
  };
  if (other === null) return [own];
  const otherPositions = [
    ...positionsOf(other.probabilities),
    ...new Set(comparisons.map((row) => row.otherPosition)),
  ];
  return [
    own,
    {
      title: "B: ",
      prefix: "OTHER_",
      lens: other.lens,
      ids: idsUpTo(other.tokens, otherPositions),
      probabilities: other.probabilities,
      predictions: [],
    },
  ];
}

function sections(viewExport: ViewExport, from: ExportSource, name: string, language: Language): Section[] {
  const { other } = viewExport;
  const sides = sidesOf(viewExport, from);
  const comparisons = other?.comparisons ?? [];
  const nRows = sides.reduce(
    (sum, side) => sum + side.probabilities.length + side.predictions.length,
    comparisons.length,
  );
  if (nRows > MAX_ROWS) {
    throw new FigureTooLarge(
      `${nRows} rows are too many for a script. Take the JSON, which has the token ids and every number.`,
    );
  }
  const { model } = from;
  const lenses = [...new Set(sides.map((side) => side.lens))];
  const fitted = lenses.filter((lens) => lens !== "logit");
  const code = (...lines: readonly string[]): Section => ({ kind: "code", lines });
  return [
    {
      kind: "text",
      lines: [
        `${comment(viewExport.title)}.`,
        "",
        `The numbers of the ${from.view.title} view of Mechanistic Explorer (${comment(model.model_name)}, ${lenses.join(" and ")} lens),`,
        "computed again with nnsight 0.8 and compared.",
        "",
        ...(language === "notebook" ? ["```sh"] : []),
        `    pip install "nnsight==0.8.*" "transformers>=5" torch`.slice(language === "notebook" ? 4 : 0),
        ...(language === "notebook"
          ? ["```"]
          : [
              `    python ${name}.py [MODEL${fitted.length > 0 ? ` [${fitted.map(lensFileName).join(" ")}]` : ""}]`,
            ]),
      ],
    },
    code(
      ...(other === null ? [] : ["import math"]),
      ...(language === "script" ? ["import sys"] : []),
      ...(other !== null || language === "script" ? [""] : []),
      "import nnsight",
      "import torch",
      ...(fitted.length > 0 ? ["from safetensors.torch import load_file"] : []),
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      ...settingLines(from, fitted, language),
    ),
    ...sides.map(({ title, prefix, ids }) =>
      code(
        `# ${title === "" ? "The" : `${title}the`} exact ids that the model was fed, up to the last position read.`,
        `${prefix}TOKEN_IDS = ${wrapped(ids.map(String))}`,
      ),
    ),
    ...noteSections(viewExport, from),
    code(...loadLines(from)),
    code(...CAPTURE),
    ...lenses.map((lens) => code(...lensLines(lens))),
    code(...DECODE),
    ...sides.map((side) => code(...shownLines(side))),
    ...(other === null ? [] : [code(...comparisonLines(comparisons))]),
    code(...COMPARE),
    code(...COMPARE_TIMELINE),
    ...(other === null ? [] : [code(...COMPARE_PAIRS)]),
    code(...runLines(sides), "", ...VERDICT),
  ];
}

/** Each line of a note is a comment of its own, whatever Python takes for the end of a line. */
function noteSections(viewExport: ViewExport, from: ExportSource): Section[] {
  const notes = notesOnExport(viewExport, from);
  if (notes.length === 0) return [];
  const lines = notes.flatMap((note) => [
    `# - on ${comment(placeWords(placeOf(note), from.tokens))}:`,
    // eslint-disable-next-line no-control-regex -- the line and page breaks are what is looked for
    ...note.text.split(/[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+/).map((line) => `#   ${line}`),
  ]);
  return [{ kind: "code", lines: ["# Notes that a person wrote on these places.", ...lines] }];
}

function shownLines({ title, prefix, probabilities, predictions }: ScriptSide): string[] {
  return [
    `# ${title}what the page showed: position read at, layer, token ids (of several, the sum), probability, rank.`,
    `${prefix}PROBABILITIES = ${rows(
      probabilities.map((row) => [
        String(row.position),
        String(row.layer),
        `[${row.tokenIds.join(", ")}]`,
        pythonNumber(row.probability),
        row.rank === null ? "None" : String(row.rank),
      ]),
    )}`,
    "# Position, layer, entropy of the prediction, its KL(final || layer); both in nats.",
    `${prefix}PREDICTIONS = ${rows(
      predictions.map((row) => [
        String(row.position),
        String(row.layer),
        pythonNumber(row.entropyNats),
        pythonNumber(row.klToFinalNats),
      ]),
    )}`,
  ];
}

const comparisonLines = (comparisons: readonly ShownComparison[]): string[] => [
  "# Position and layer of A, of B, KL(A || B), KL(B || A), Jensen-Shannon divergence; all in nats.",
  `PAIRS = ${rows(
    comparisons.map((row) => [
      String(row.position),
      String(row.layer),
      String(row.otherPosition),
      String(row.otherLayer),
      pythonNumber(row.klToOtherNats),
      pythonNumber(row.klFromOtherNats),
      pythonNumber(row.jsNats),
    ]),
  )}`,
];

/** Captures each timeline and compares what is shown of it, and then of both. */
function runLines(sides: readonly ScriptSide[]): string[] {
  const [own, other] = sides;
  if (own === undefined) return [];
  return [
    "captured = capture(TOKEN_IDS)",
    ...(other === undefined ? [] : ["other_captured = capture(OTHER_TOKEN_IDS)"]),
    "print(f\"{'read at':>11} {'layer':>7}  {'number':30} {'on the page':>14} {'computed':>14}\")",
    `compare_timeline("${other === undefined ? "" : "A "}", captured, ${own.lens}_lens, PROBABILITIES, PREDICTIONS)`,
    ...(other === undefined
      ? []
      : [
          `compare_timeline("B ", other_captured, ${other.lens}_lens, OTHER_PROBABILITIES, OTHER_PREDICTIONS)`,
          `compare_pairs(captured, ${own.lens}_lens, other_captured, ${other.lens}_lens, PAIRS)`,
        ]),
  ];
}

function settingLines({ model }: ExportSource, fitted: readonly LensKind[], language: Language): string[] {
  const isEmbedded = model.source === "embedded";
  const where = isEmbedded ? "backend/embedded_model" : model.model_name;
  const what =
    model.source === "hub"
      ? "A name on the Hugging Face hub, or a folder."
      : isEmbedded
        ? "The folder of the embedded model, in the repository of Mechanistic Explorer."
        : "The folder of the model.";
  const argument = (number: number, otherwise: string): string =>
    language === "script" ? `sys.argv[${number}] if len(sys.argv) > ${number} else ${otherwise}` : otherwise;
  const lensFile = (lens: LensKind): string =>
    isEmbedded ? `f"{MODEL}/lenses/${lens}.safetensors"` : literal(`lenses/${lens}.safetensors`);
  return [
    `# ${what}`,
    `MODEL = ${argument(1, literal(where))}`,
    ...fitted.flatMap((lens, i) => [
      `# The ${lens} lens that was fitted to it.`,
      `${lensFileName(lens)} = ${argument(2 + i, lensFile(lens))}`,
    ]),
    "TOLERANCE = 1e-4",
  ];
}

function pythonNumber(value: number): string {
  return Number.isFinite(value) ? String(asFloat32(value)) : 'float("nan")';
}

const MAX_LINE = 100;

/** A list of short items over as many lines as it takes. */
function wrapped(items: readonly string[]): string {
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

const rows = (all: readonly (readonly string[])[]): string =>
  `[\n${all.map((row) => `    (${row.join(", ")}),\n`).join("")}]`;
