/**
 * A view's numbers as a Python program that computes them again with nnsight, transformers and torch, and
 * none of this project's code. It holds the exact token ids and the numbers that were on the screen,
 * and fails if one of them does not come out.
 */
import { FigureTooLarge } from "@/charts/figure/figure";
import { placeOf, placeWords } from "@/model/notes";
import { lensFileName } from "./lensScript";
import { type Language, loadLines, settingLines } from "./modelScript";
import { type ScriptSection, code, comment } from "./scriptSection";
import { COMPARE, HEADING, VERDICT } from "./verdictScript";
import { type ExportSource, type ViewExport, notesOnExport } from "./viewExport";

/** More rows than this make a script that no editor likes to open. */
const MAX_ROWS = 60_000;

export function pythonScript(viewExport: ViewExport, source: ExportSource, name: string): string {
  const [intro, ...rest] = sections(viewExport, source, name, "script");
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
export function pythonNotebook(viewExport: ViewExport, source: ExportSource, name: string): string {
  const cells = sections(viewExport, source, name, "notebook").map(({ kind, lines }, i) => {
    const text = lines.map((line, at) => (at < lines.length - 1 ? `${line}\n` : line));
    return kind === "text"
      ? { cell_type: "markdown", id: `cell-${i}`, metadata: {}, source: text }
      : {
          cell_type: "code",
          id: `cell-${i}`,
          metadata: {},
          execution_count: null,
          outputs: [],
          source: text,
        };
  });
  const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

function sections(
  viewExport: ViewExport,
  source: ExportSource,
  name: string,
  language: Language,
): ScriptSection[] {
  const { imports, lenses, nNumbers, inputs, sections: own, run } = viewExport.script(source);
  if (nNumbers > MAX_ROWS) {
    throw new FigureTooLarge(
      `${nNumbers} rows are too many for a script. Take the JSON, which has the token ids and every number.`,
    );
  }
  const fitted = lenses.filter((lens) => lens !== "logit");
  const standard = [...imports, ...(language === "script" ? ["sys"] : [])].toSorted();
  return [
    {
      kind: "text",
      lines: [
        `${comment(viewExport.title)}.`,
        "",
        `The numbers of the ${source.view.title} view of Mechanistic Explorer (${comment(source.model.model_name)}${lenses.length > 0 ? `, ${lenses.join(" and ")} lens` : ""}),`,
        "computed again with nnsight 0.8 and compared.",
        "",
        ...installLines(name, fitted.map(lensFileName), language),
      ],
    },
    code(
      ...standard.map((each) => `import ${each}`),
      ...(standard.length > 0 ? [""] : []),
      "import nnsight",
      "import torch",
      ...(fitted.length > 0 ? ["from safetensors.torch import load_file"] : []),
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      ...settingLines(source, fitted, language),
    ),
    ...inputs,
    ...noteSections(viewExport, source),
    code(...loadLines(source)),
    code(...COMPARE),
    ...own,
    code(HEADING, ...run, "", ...VERDICT),
  ];
}

function installLines(name: string, files: readonly string[], language: Language): string[] {
  const install = 'pip install "nnsight==0.8.*" "transformers>=5" torch';
  if (language === "notebook") return ["```sh", install, "```"];
  return [
    `    ${install}`,
    `    python ${name}.py [MODEL${files.length > 0 ? ` [${files.join(" ")}]` : ""}]`,
  ];
}

/** Each line of a note is a comment of its own, whatever Python takes for the end of a line. */
function noteSections(viewExport: ViewExport, source: ExportSource): ScriptSection[] {
  const notes = notesOnExport(viewExport, source);
  if (notes.length === 0) return [];
  const lines = notes.flatMap((note) => [
    `# - on ${comment(placeWords(placeOf(note), source.tokens))}:`,
    // eslint-disable-next-line no-control-regex -- the line and page breaks are what is looked for
    ...note.text.split(/[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+/).map((line) => `#   ${line}`),
  ]);
  return [{ kind: "code", lines: ["# Notes that a person wrote on these places.", ...lines] }];
}
