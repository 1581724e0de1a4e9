/** Python that measures the token again under each change, and under random directions in its place. */
import {
  type ScriptInterventions,
  captureUnderLines,
  interventionCalls,
  interventionInputs,
  interventionSections,
  usesJacobian,
} from "@/features/export/interventionsScript";
import { DECODE, lensLines } from "@/features/export/lensScript";
import { type ViewScript, code, pythonNumber, tupleList, wrappedList } from "@/features/export/scriptSection";
import type { ModelInfo } from "@/types/schemas";
import type { SteerState } from "./viewExport";

const COMPARE_RUNS = [
  "def compare_runs():",
  "    position = len(TOKEN_IDS) - 1",
  '    seeds = [{"seed": seed} for seed in CONTROL_SEEDS]',
  "    for run, strength, shown in RUNS:",
  '        under = [] if run == "plain" else [dict(one) for one in INTERVENTIONS]',
  "        for one in under:",
  "            if strength is not None:",
  '                one["strength"] = strength',
  '            if run == "control":',
  '                one["directions"] = seeds',
  "        computed = log_probs(capture(TOKEN_IDS, under), logit_lens, position)[-1, TARGET].exp().item()",
  '        what = f"{run} of {tokenizer.decode([TARGET])!r}" + ("" if strength is None else f" at {strength:.4g}")',
  "        compare(position, n_layers, what, shown, computed, is_near(shown, computed, TOLERANCE))",
] as const;

export function doseScript(
  { tokens, position, target, runs, controlSeeds }: SteerState,
  changes: ScriptInterventions = { words: [], interventions: [] },
  model: Pick<ModelInfo, "site_modules">,
): ViewScript {
  const { interventions } = changes;
  return {
    isUnderInterventions: true,
    imports: ["contextlib"],
    lenses: usesJacobian(interventions) ? ["jacobian"] : [],
    nNumbers: runs.length,
    inputs: [
      code(
        "# The exact ids that the model was fed, up to the position read, and the token that is measured there.",
        `TOKEN_IDS = ${wrappedList(tokens.slice(0, position + 1).map(({ id }) => String(id)))}`,
        `TARGET = ${target.id}`,
      ),
      interventionInputs({ ...changes, name: "INTERVENTIONS" }),
    ],
    sections: [
      ...interventionSections(interventions, model, false),
      code(...captureUnderLines(false)),
      code(...lensLines("logit")),
      ...(usesJacobian(interventions) ? [code(...lensLines("jacobian"))] : []),
      code(...DECODE),
      code(
        "# Seeds of the random directions that stand in the place of the others in the control.",
        `CONTROL_SEEDS = [${controlSeeds.join(", ")}]`,
        "# The page's numbers: run, strength (None where there is none to choose), probability of the token.",
        `RUNS = ${tupleList(
          runs.map(({ run, strength, probability }) => [
            `"${run}"`,
            strength === null ? "None" : String(strength),
            pythonNumber(probability),
          ]),
        )}`,
      ),
      code(...COMPARE_RUNS),
    ],
    run: [...interventionCalls(interventions), "compare_runs()"],
  };
}
