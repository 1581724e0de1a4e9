/** Steer to take away: what the change does to the measured token, beside its control. */
import type { Cell } from "@/features/export/table";
import type { ViewExport } from "@/features/export/viewExport";
import { formatStrength } from "@/features/steering/inWords";
import type { Steering, Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import { drawDose } from "./drawDose";
import { drawRuns } from "./drawRuns";
import { doseScript } from "./doseScript";

/** One run: the plain model, the change, or random directions in its place. */
export interface MeasuredRun {
  readonly run: "plain" | "change" | "control";
  /** Of what is added; null where nothing has a strength. */
  readonly strength: number | null;
  readonly probability: number;
}

export interface SteerState {
  readonly tokens: readonly Token[];
  /** Where the probability is read. */
  readonly position: number;
  readonly target: { readonly id: number; readonly text: string };
  /** The change, at the chosen strength. */
  readonly steering: Steering;
  readonly runs: readonly MeasuredRun[];
  /** Of the random directions of the control. */
  readonly controlSeeds: readonly number[];
  readonly nLayers: number;
}

const COLUMNS = [
  { key: "run", unit: "plain, change or control: random directions of the same length" },
  { key: "strength", unit: "share of the length of each residual stream" },
  { key: "read_at_index", unit: null },
  { key: "predicts_index", unit: null },
  { key: "token_id", unit: null },
  { key: "token_text", unit: null },
  { key: "probability", unit: "0 to 1" },
  { key: "logprob_nats", unit: "nats" },
] as const;

export function steerExport(state: SteerState): ViewExport {
  const { tokens, position, target, steering, runs, nLayers } = state;
  const name = `“${cellTextOfText(target.text)}”`;
  const read = tokens[position];
  const doses = runs.flatMap(({ strength }) => (strength === null ? [] : [strength]));
  const isDose = doses.length > 0;
  return {
    title: isDose ? `Probability of ${name} over the strength` : `Probability of ${name} under a change`,
    facts: [
      `Read at index ${position}${read === undefined ? "" : ` “${cellText(read)}”`}, predicts index ${position + 1}`,
      "Control: random directions of the same length, at the same layers and tokens",
      ...(isDose
        ? [
            `Strengths ${formatStrength(Math.min(...doses))} to ${formatStrength(Math.max(...doses))}, in place of the chosen one`,
          ]
        : []),
    ],
    place: `${position}-${target.text}`,
    table: {
      columns: COLUMNS,
      rows: runs.map(({ run, strength, probability }): Cell[] => [
        run,
        strength,
        position,
        position + 1,
        target.id,
        target.text,
        probability,
        probability > 0 ? Math.log(probability) : null,
      ]),
    },
    computed: ({ dtype }) => `The model's own output, run again in ${dtype} under each change`,
    columns: null,
    draw: (layout) => (isDose ? drawDose(runs, name, layout) : drawRuns(runs, layout)),
    places: [{ position, layer: nLayers }],
    steering,
    script: ({ interventions, model }) => doseScript(state, interventions, model),
    json: { target: { token_id: target.id, text: target.text } },
  };
}
