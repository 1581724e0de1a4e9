import { describe, expect, test } from "vitest";
import { type FigureStyle, FigureTooLarge } from "@/charts/figure/figure";
import { exportSource } from "@/test/exportSource";
import { madeUpTokens } from "@/test/lensData";
import { MODEL } from "@/test/server";
import { captionOf, exportFigure } from "./exportFigure";
import { exportFile } from "./exportFile";
import { figureName, fileName } from "./fileName";
import { timelineScript } from "./timelineScript";
import type { ViewScript } from "./scriptSection";
import type { ExportSource, ViewExport } from "./viewExport";

const from = exportSource(madeUpTokens(20));

const ROW = { position: 3, layer: 1, tokenIds: [7, 9], probability: Math.fround(0.1), rank: null };
const PREDICTION = { position: 3, layer: 1, entropyNats: Math.fround(1.7), klToFinalNats: 0 };
const viewExport: ViewExport = {
  title: 'How “"""” was\npredicted',
  facts: ["Read at index 3"],
  place: "3-=1+1/../“x”",
  table: { columns: [{ key: "entropy_nats", unit: "nats" }], rows: [[Math.fround(0.1)]] },
  columns: null,
  draw: () => ({ width: 10, height: 10, svg: "" }),
  places: [{ position: 3, layer: 1 }],
  script: ({ lens, tokens, model }) =>
    timelineScript([{ lens, tokens, probabilities: [ROW], predictions: [PREDICTION] }], model),
};

const textOf = (form: "csv" | "json" | "py" | "ipynb", more: Partial<ExportSource> = {}): string =>
  exportFile(form, viewExport, { ...from, ...more }).text;

describe("the file's name", () => {
  test("tells model, conversation, view and place, in characters that every system takes", () => {
    expect(exportFile("csv", viewExport, from).name).toBe("explorer_name_conversa_standard_3-1-1-..-x.csv");
    expect(fileName({ ...from, lens: "tuned" }, "3-é你好")).toBe("explorer_name_conversa_standard_3_tuned");
  });
  test("stays short, and never begins or ends a part with a dot", () => {
    const name = fileName({ ...from, conversationId: null }, `..${"a".repeat(500)}`);
    expect(name).toMatch(/^explorer_name_standard_a{38}$/);
  });
});

test("each row of the CSV says of which model and lens it is", () => {
  expect(textOf("csv")).toBe("\ufeffmodel,lens,entropy [nats]\r\nowner/name,logit,0.1\r\n");
});

test("the JSON holds the exact ids, and the numbers as short as they are", () => {
  const json = JSON.parse(textOf("json")) as {
    tokens: { index: number; id: number }[];
    rows: unknown[];
    lens: string;
  };
  expect(json.tokens.map(({ id }) => id)).toEqual(from.tokens.map(({ id }) => id));
  expect(json.rows).toEqual([{ entropy_nats: 0.1 }]);
  expect(json.lens).toBe("logit");
});

test("caption and JSON name the conversation by its title, the caption no longer than it can be read", () => {
  const captionWith = (conversationTitle: string | null): string =>
    captionOf(viewExport, { ...from, conversationTitle }).join(" ");
  expect(captionWith("The capital of France")).toContain("Conversation “The capital of France”.");
  expect(captionWith("a".repeat(500))).toMatch(/“a{60,80}…”/);
  expect(captionWith(null)).not.toContain("Conversation “");
  expect(JSON.parse(textOf("json"))).toMatchObject({ conversation_title: "The capital of France" });
});

describe("the script", () => {
  test("holds the ids up to the last position read, and no further", () => {
    const ids = /TOKEN_IDS = \[([^\]]*)\]/.exec(textOf("py"))?.[1]?.match(/\d+/g)?.map(Number);
    expect(ids).toEqual(from.tokens.slice(0, 4).map(({ id }) => id));
    expect(textOf("py")).toContain("(3, 1, [7, 9], 0.1, None),");
    expect(textOf("py")).toContain("(3, 1, 1.7, 0),");
  });
  test("no title ends its docstring early", () => {
    expect(textOf("py").split('"""')).toHaveLength(1 + 2 * 5);
    expect(textOf("py")).toContain("How “’’’” was’predicted.");
  });
  test("takes a hub model at its revision, the embedded one from the repository", () => {
    expect(textOf("py")).toContain('else "owner/name"');
    expect(textOf("py")).toContain('REVISION = "abc"');
    const embedded = textOf("py", { model: { ...MODEL, source: "embedded" } });
    expect(embedded).toContain('else "backend/embedded_model"');
    expect(embedded).not.toContain("REVISION");
  });
  test("uses the dtype and the kind of device that the numbers were computed with", () => {
    const text = textOf("py", { model: { ...MODEL, dtype: "bfloat16", device: "cuda:0" } });
    expect(text).toContain("dtype=torch.bfloat16");
    expect(text).toContain('.to("cuda")');
  });
  test("the notebook has the same code, without a command line", () => {
    const { cells } = JSON.parse(textOf("ipynb", { lens: "tuned" })) as {
      cells: { cell_type: string; source: string[] }[];
    };
    expect(cells[0]?.cell_type).toBe("markdown");
    const code = cells.flatMap((cell) => (cell.cell_type === "code" ? [cell.source.join("")] : []));
    const script = textOf("py", { lens: "tuned" });
    for (const cell of code.slice(1)) expect(script).toContain(cell);
    expect(code.join("")).not.toContain("sys.");
  });
  test("refuses what no editor would open", () => {
    const large: ViewExport = {
      ...viewExport,
      script: ({ lens, tokens, model }) =>
        timelineScript(
          [{ lens, tokens, probabilities: new Array<typeof ROW>(60_001).fill(ROW), predictions: [] }],
          model,
        ),
    };
    expect(() => exportFile("py", large, from)).toThrow(FigureTooLarge);
  });
});

test("a view adds fields of its own to the JSON", () => {
  const more = exportFile("json", { ...viewExport, json: { other: { lens: "tuned" } } }, from).text;
  expect(JSON.parse(more)).toMatchObject({ other: { lens: "tuned" }, lens: "logit" });
  expect(JSON.parse(textOf("json"))).not.toHaveProperty("other");
});

test("a view's own program stands between the shared beginning and the verdict", () => {
  const script = (): ViewScript => ({
    imports: ["math"],
    lenses: [],
    nNumbers: 1,
    inputs: [{ kind: "code", lines: ["HEADS = [3]"] }],
    sections: [{ kind: "code", lines: ["def attention():", "    return 1"] }],
    run: ["attention()"],
  });
  const { text } = exportFile("py", { ...viewExport, script }, from);
  const order = ["import math", "import nnsight", "HEADS = [3]", "AutoTokenizer.from", "def compare(", "def attention", "\nattention()", "n_compared} numbers are"]; // prettier-ignore
  const places = order.map((each) => text.indexOf(each));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(places).not.toContain(-1);
  expect(text).not.toContain("TOKEN_IDS");
});

const STYLE: FigureStyle = {
  size: "column",
  theme: "light",
  isTransparent: false,
  hasTitle: true,
  hasCaption: true,
  columns: null,
};
const textsOf = (svg: string): string =>
  [...new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll("text")]
    .map((each) => each.textContent)
    .join(" ");

describe("a figure", () => {
  test("names model, lens, conversation and time, and no id", () => {
    const { svg } = exportFigure(viewExport, from, STYLE);
    const texts = textsOf(svg);
    for (const text of [
      "owner/name",
      "logit lens",
      "The capital of France",
      "2026-11-25 10:00 UTC",
      "Read at index 3",
    ]) {
      expect(texts).toContain(text);
    }
    expect(svg).not.toContain("conversation-1");
  });
  test("keeps title and caption in its metadata where they are not drawn", () => {
    const { svg } = exportFigure(viewExport, from, { ...STYLE, hasTitle: false, hasCaption: false });
    expect(textsOf(svg)).toBe("");
    expect(svg).toMatch(/<title>How .*<\/title><desc>.*owner\/name.*<\/desc>/s);
  });
  test("is named with its width, and with its columns where they are not all", () => {
    expect(figureName(from, viewExport, STYLE)).toBe(`${fileName(from, viewExport.place)}_85mm`);
    const all = { start: 0, end: 20 };
    const wide = { ...viewExport, columns: { of: "Index", all, shown: all } } as const;
    expect(figureName(from, wide, { ...STYLE, size: "slide", columns: all })).toMatch(/-x_slide$/);
    expect(figureName(from, wide, { ...STYLE, columns: { start: 3, end: 9 } })).toMatch(/-x_3-8_85mm$/);
  });
});

describe("notes on what is shown", () => {
  const hostile = 'It says """stop""" \\\nimport os\r# and\u2028more';
  const notes = [
    { start: 4, end: 5, layer: 1, text: hostile },
    { start: 2, end: 9, layer: null, text: "around" },
    { start: 4, end: 5, layer: 7, text: "another layer" },
    { start: 9, end: 10, layer: null, text: "elsewhere" },
  ];

  test("are in the JSON, whole", () => {
    const json = JSON.parse(textOf("json", { notes })) as { notes: unknown[] };
    expect(json.notes).toEqual([notes[1], notes[0]]);
  });
  test("are in the caption", () => {
    const caption = captionOf(viewExport, { ...from, notes }).join(" ");
    expect(caption).toContain("Note on 7 tokens, 2 to 8: around.");
    expect(caption).toMatch(/Note on [^:]*, index 4, at layer 1: It says "/);
    expect(caption).not.toContain("elsewhere");
    expect(caption).not.toContain("another layer");
  });
  test("that are too many for a caption are counted", () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ start: 4, end: 5, layer: null, text: `note ${i}` }));
    expect(captionOf(viewExport, { ...from, notes: many })).toContain("8 more notes are in the JSON.");
  });
  test("are comments of the script, of which no line can be taken for code", () => {
    const text = textOf("py", { notes });
    const added = text.split(/[\r\n\u2028]/).filter((line) => !textOf("py").split("\n").includes(line));
    expect(added).toContain("# Notes that a person wrote on these places.");
    expect(added).toContain("#   import os");
    expect(added.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
    const quotes = (of: string): number => of.split('"""').length - 1;
    expect(quotes(text)).toBe(quotes(textOf("py")) + 2); // the two in the comment
    expect(textOf("ipynb", { notes })).toContain("#   import os");
  });
  test("leave the table as it is", () => {
    expect(textOf("csv", { notes })).toBe(textOf("csv"));
  });
});
