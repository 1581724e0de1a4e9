import { expect, test } from "vitest";
import { PALETTES } from "@/charts/figure/palette";
import { exportFile } from "@/features/export/exportFile";
import { steeredExport } from "@/features/export/steeredExport";
import { exportSource } from "@/test/exportSource";
import { madeUpTokens } from "@/test/lensData";
import { type MeasuredRun, type SteerState, steerExport } from "./viewExport";

const DOSE: readonly MeasuredRun[] = [-0.25, 0, 0.25].flatMap((strength): MeasuredRun[] => [
  { run: "change", strength, probability: 0.5 + strength },
  { run: "control", strength, probability: 0.5 },
]);
const ABLATION: readonly MeasuredRun[] = [
  { run: "plain", strength: null, probability: 0.8 },
  { run: "change", strength: null, probability: 0.1 },
  { run: "control", strength: null, probability: 0.75 },
];

const STATE: SteerState = {
  tokens: madeUpTokens(8),
  position: 5,
  target: { id: 7, text: " Madrid" },
  steering: {
    interventions: [
      {
        site: "resid",
        layers: [4, 5],
        heads: null,
        positions: "reply",
        op: { kind: "add", direction: { kind: "token", token_id: 7 }, strength: 0.1 },
      },
    ],
    reply_start: 6,
  },
  runs: DOSE,
  controlSeeds: [0],
  nLayers: 12,
};

const LOOKUPS = { textOf: () => Promise.resolve(" Madrid"), idsOf: () => Promise.resolve([]) };
const LAYOUT = {
  width: 240,
  maxHeight: 600,
  theme: "light",
  palette: PALETTES.light,
  columns: null,
} as const;

test("the dose curve is a table of strengths, each beside its control", async () => {
  const source = exportSource(STATE.tokens);
  const made = await steeredExport(steerExport(STATE), source, false, LOOKUPS);
  expect(made.viewExport.facts.at(-1)).toBe(
    "Computed under interventions: adds 0.1 × “·Madrid” at layers 4–5 in the reply",
  );
  const { rows, title } = JSON.parse(exportFile("json", made.viewExport, made.source).text) as {
    title: string;
    rows: unknown[];
  };
  expect(title).toBe("Probability of “·Madrid” over the strength");
  expect(rows).toHaveLength(6);
  expect(rows[0]).toMatchObject({ run: "change", strength: -0.25, probability: 0.25, read_at_index: 5 });
  expect(rows[1]).toMatchObject({ run: "control", strength: -0.25, probability: 0.5 });
});

test("what is tried on a steered branch is not taken for what the branch was computed under", async () => {
  const source = exportSource(STATE.tokens, { steering: { ...STATE.steering, reply_start: 7 } });
  const made = await steeredExport(steerExport(STATE), source, false, LOOKUPS);
  expect(made.source.steering).toEqual(STATE.steering);
});

test("the program holds every number, and the seeds of the control", async () => {
  const made = await steeredExport(steerExport(STATE), exportSource(STATE.tokens), true, LOOKUPS);
  const { text } = exportFile("py", made.viewExport, made.source);
  expect(text).toContain('    ("change", -0.25, 0.25),\n    ("control", -0.25, 0.5),');
  expect(text).toContain("CONTROL_SEEDS = [0]");
});

test("the curve is drawn with its control and a legend, an ablation as three bars", () => {
  const curve = steerExport(STATE).draw(LAYOUT).svg;
  expect(curve).toContain("probability of “·Madrid”");
  expect(curve).toContain("random direction of the same length");
  const bars = steerExport({ ...STATE, runs: ABLATION }).draw(LAYOUT).svg;
  expect(bars.match(/class="bar"/g)).toHaveLength(3);
  expect(bars).toContain("with random directions");
});
