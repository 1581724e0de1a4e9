import { expect, test } from "vitest";
import type { Intervention, Steering } from "@/model/timeline";
import { exportSource } from "@/test/exportSource";
import { madeUpTokens } from "@/test/lensData";
import { MODEL } from "@/test/server";
import { type Lookups, NotRecomputable } from "./exactInterventions";
import { exportFile } from "./exportFile";
import { steeredExport } from "./steeredExport";
import { timelineScript } from "./timelineScript";
import type { ViewExport } from "./viewExport";

const ADD: Intervention = {
  site: "resid",
  layers: [4, 5],
  heads: null,
  positions: "reply",
  op: { kind: "add", direction: { kind: "token", token_id: 7 }, strength: 0.5 },
};
const steering = (...interventions: Intervention[]): Steering => ({ interventions, reply_start: 6 });
const STEERING = steering(ADD);

const LOOKUPS: Lookups = {
  textOf: (tokenId) => Promise.resolve(` word${tokenId}`),
  idsOf: (text) => Promise.resolve([text.length, 1]),
};

// The last two of eight tokens are the reply, and the first one is special.
const TOKENS = madeUpTokens(8).map((token) => ({
  ...token,
  role: token.index < 6 ? ("user" as const) : ("assistant" as const),
  special: token.index === 0,
}));
const SOURCE = exportSource(TOKENS);
const ROW = { position: 6, layer: 1, tokenIds: [7], probability: 0.5, rank: 1 };

const MADE: ViewExport = {
  title: "A table",
  facts: ["Read at index 3"],
  place: "3",
  table: { columns: [{ key: "probability", unit: null }], rows: [[0.5]] },
  columns: null,
  draw: () => ({ width: 1, height: 1, svg: "" }),
  places: [],
  script: ({ lens, tokens, interventions }) =>
    timelineScript([{ lens, tokens, interventions, probabilities: [ROW], predictions: [] }], MODEL),
};

const programOf = async (...interventions: Intervention[]): Promise<string> => {
  const source = exportSource(TOKENS, { steering: steering(...interventions) });
  const made = await steeredExport(MADE, source, true, LOOKUPS);
  return exportFile("py", made.viewExport, made.source).text;
};

test("numbers of the plain model are exported as they are", async () => {
  expect(await steeredExport(MADE, SOURCE, true, LOOKUPS)).toEqual({ viewExport: MADE, source: SOURCE });
  expect(exportFile("py", MADE, SOURCE).text).not.toContain("intervening");
});

test("a steered branch names its interventions, with the words of its tokens, in every file", async () => {
  const source = exportSource(TOKENS, { steering: STEERING });
  const made = await steeredExport(MADE, source, false, LOOKUPS);
  expect(made.viewExport.facts.at(-1)).toBe(
    "Computed under interventions: adds 0.5 × “·word7” at layers 4–5 in the reply",
  );
  expect(JSON.parse(exportFile("json", made.viewExport, made.source).text)).toMatchObject({
    steering: STEERING,
  });
  expect(exportFile("csv", made.viewExport, made.source).text).toContain("reply_start");
});

test("its program holds the exact positions, and where a direction comes from", async () => {
  const program = await programOf(ADD);
  expect(program).toContain("# adds 0.5 × “·word7” at layers 4–5 in the reply");
  // Those that choose the tokens of the reply, at 6 and 7.
  expect(program).toContain('"positions": [5, 6],');
  expect(program).toContain('"directions": [{"token": 7, "text": " word7"}],');
  expect(program).toContain("capture(TOKEN_IDS, INTERVENTIONS)");
});

test("names of positions and of texts become indices and ids", async () => {
  const mean: Intervention = {
    site: "head",
    layers: [2],
    heads: [1],
    positions: "prompt",
    op: { kind: "mean" },
  };
  const contrast: Intervention = {
    ...ADD,
    op: { kind: "project_out", direction: { kind: "contrast", plus: ["four"], minus: ["sixsix"] } },
  };
  const program = await programOf(mean, contrast);
  expect(program).toContain('"heads": [1],\n        "positions": [1, 2, 3, 4, 5],');
  expect(program).toContain('"from": [1, 2, 3, 4, 5],');
  expect(program).toContain('{"plus": [[4, 1]], "minus": [[6, 1]]}');
  expect(program).toContain('"head": [');
});

test("the file of the Jacobian lens is an argument where a direction is read by it", async () => {
  const lens: Intervention = {
    ...ADD,
    op: { kind: "add", direction: { kind: "lens", lens: "jacobian", token_id: 7 }, strength: 1 },
  };
  expect(await programOf(lens)).toContain("jacobian = load_file(JACOBIAN_LENS_FILE)");
});

test("a direction in what single heads write is refused, with the reason", async () => {
  await expect(programOf({ ...ADD, site: "head", heads: [1] })).rejects.toThrow(/single heads write/);
});

test("a program that knows the plain model only is no program of a steered branch", async () => {
  const plain: ViewExport = {
    ...MADE,
    script: () => ({ imports: [], lenses: [], nNumbers: 0, inputs: [], sections: [], run: [] }),
  };
  const source = exportSource(TOKENS, { steering: STEERING });
  const made = await steeredExport(plain, source, true, LOOKUPS);
  for (const form of ["py", "ipynb"] as const) {
    expect(() => exportFile(form, made.viewExport, made.source)).toThrow(NotRecomputable);
  }
});

test("a comparison with a steered branch says that it is B", async () => {
  const other = { steering: STEERING, tokens: TOKENS };
  const made = await steeredExport({ ...MADE, other }, SOURCE, true, LOOKUPS);
  expect(made.viewExport.facts.at(-1)).toMatch(/^B was computed under interventions: /);
  expect(made.viewExport.json).toMatchObject({ steering: null, other_steering: STEERING });
  expect(made.source.interventions).toBeUndefined();
  expect(made.source.otherInterventions?.interventions[0]?.positions).toEqual([5, 6]);
});
