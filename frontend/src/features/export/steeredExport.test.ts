import { expect, test } from "vitest";
import type { Steering } from "@/model/timeline";
import { madeUpTokens } from "@/test/lensData";
import { exportSource } from "@/test/exportSource";
import { exportFile } from "./exportFile";
import { NotRecomputable, steeredExport } from "./steeredExport";
import type { ViewExport } from "./viewExport";

const STEERING: Steering = {
  interventions: [
    {
      site: "resid",
      layers: [4, 5],
      heads: null,
      positions: "reply",
      op: { kind: "add", direction: { kind: "token", token_id: 7 }, strength: 0.5 },
    },
  ],
  reply_start: 6,
};

const MADE: ViewExport = {
  title: "A table",
  facts: ["Read at index 3"],
  place: "3",
  table: { columns: [{ key: "probability", unit: null }], rows: [[0.5]] },
  columns: null,
  draw: () => ({ width: 1, height: 1, svg: "" }),
  places: [],
  script: () => ({ imports: [], lenses: [], nNumbers: 0, inputs: [], sections: [], run: [] }),
};

test("numbers of the plain model are exported as they are", () => {
  expect(steeredExport(MADE, undefined, undefined)).toBe(MADE);
});

test("a steered branch names its interventions in every file, and has no program that would be wrong", () => {
  const steered = steeredExport(MADE, STEERING, undefined);
  const source = exportSource(madeUpTokens(8), { steering: STEERING });
  expect(steered.facts.at(-1)).toBe(
    "Computed under interventions: adds 0.5 × token 7 at layers 4–5 in the reply",
  );
  expect(JSON.parse(exportFile("json", steered, source).text)).toMatchObject({ steering: STEERING });
  expect(exportFile("csv", steered, source).text).toContain("reply_start");
  for (const form of ["py", "ipynb"] as const) {
    expect(() => exportFile(form, steered, source)).toThrow(NotRecomputable);
  }
});

test("a comparison with a steered branch says that it is B", () => {
  const steered = steeredExport(MADE, undefined, STEERING);
  expect(steered.facts.at(-1)).toMatch(/^B was computed under interventions: /);
  expect(steered.json).toMatchObject({ steering: null, other_steering: STEERING });
  expect(() => steered.script(exportSource(madeUpTokens(8)))).toThrow(NotRecomputable);
});
