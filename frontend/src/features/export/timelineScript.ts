/** Python that computes what a view shows of one timeline or several: probabilities, ranks, entropies. */
import { isHalf } from "@/model/layers";
import type { LensKind } from "@/model/lenses";
import type { Token } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { COMPARE_TIMELINE } from "./compareTimelineScript";
import {
  type ScriptInterventions,
  captureUnderLines,
  interventionCalls,
  interventionInputs,
  interventionSections,
  usesJacobian,
} from "./interventionsScript";
import { DECODE, captureLines, lensLines, middleLines, rowLines } from "./lensScript";
import { type ViewScript, code, pythonNumber, tupleList, wrappedList } from "./scriptSection";

/** The probability of one token, or of several added up, at one layer of one position. */
export interface ShownProbability {
  readonly position: number;
  readonly layer: number;
  readonly tokenIds: readonly number[];
  readonly probability: number;
  /** Null for a sum. */
  readonly rank: number | null;
}

/** A whole prediction, at one layer of one position. */
export interface ShownPrediction {
  readonly position: number;
  readonly layer: number;
  readonly entropyNats: number;
  readonly klToFinalNats: number;
}

/** A timeline with what is shown of it. */
export interface ShownTimeline {
  /** `A`, where there are several. */
  readonly title?: string;
  /** Before each name in the program: `OTHER_`. */
  readonly prefix?: string;
  readonly lens: LensKind;
  readonly tokens: readonly Token[];
  /** What it was computed under; left out for the plain model. */
  readonly interventions?: ScriptInterventions | undefined;
  readonly probabilities: readonly ShownProbability[];
  readonly predictions: readonly ShownPrediction[];
  /** Positions that are read for something else. */
  readonly morePositions?: readonly number[];
}

export function timelineScript(
  timelines: readonly ShownTimeline[],
  model: Pick<ModelInfo, "half_layer_modules" | "site_modules">,
): ViewScript {
  const hasHalf = timelines.some(({ probabilities, predictions }) =>
    [...probabilities, ...predictions].some(({ layer }) => isHalf(layer)),
  );
  const changed = timelines.flatMap(({ interventions, prefix = "" }) =>
    interventions === undefined ? [] : [{ ...interventions, name: `${prefix}INTERVENTIONS` }],
  );
  const all = changed.flatMap(({ interventions }) => interventions);
  const isChanged = all.length > 0;
  const lenses = [
    ...new Set([...timelines.map(({ lens }) => lens), ...(usesJacobian(all) ? (["jacobian"] as const) : [])]),
  ];
  return {
    isUnderInterventions: true,
    imports: [...(isChanged ? ["contextlib"] : []), ...(hasHalf ? ["functools"] : [])],
    lenses,
    nNumbers: timelines.reduce((sum, each) => sum + each.probabilities.length + each.predictions.length, 0),
    inputs: [
      ...timelines.map((each) =>
        code(
          `# ${each.title === undefined ? "The" : `${each.title}: the`} exact ids that the model was fed, up to the last position read.`,
          `${each.prefix ?? ""}TOKEN_IDS = ${wrappedList(idsRead(each).map(String))}`,
        ),
      ),
      ...changed.map(interventionInputs),
    ],
    sections: [
      ...(hasHalf ? [code(...middleLines(model.half_layer_modules))] : []),
      ...(isChanged ? interventionSections(all, model, hasHalf) : []),
      code(...(isChanged ? captureUnderLines(hasHalf) : captureLines(hasHalf))),
      ...lenses.map((lens) => code(...lensLines(lens))),
      code(...rowLines(hasHalf)),
      code(...DECODE),
      ...timelines.map((each) => code(...shownLines(each))),
      code(...COMPARE_TIMELINE),
    ],
    run: [
      ...interventionCalls(all),
      ...timelines.flatMap(({ title, prefix = "", lens, interventions }) => {
        const captured = `${prefix.toLowerCase()}captured`;
        const name = title === undefined ? "" : `${title} `;
        const under = interventions === undefined ? "" : `, ${prefix}INTERVENTIONS`;
        return [
          `${captured} = capture(${prefix}TOKEN_IDS${under})`,
          `compare_timeline("${name}", ${captured}, ${lens}_lens, ${prefix}PROBABILITIES, ${prefix}PREDICTIONS)`,
        ];
      }),
    ],
  };
}

/** Tokens after the last position that is read have no influence on it. */
function idsRead({ tokens, probabilities, predictions, morePositions = [] }: ShownTimeline): number[] {
  let last = -1;
  for (const { position } of probabilities) last = Math.max(last, position);
  for (const { position } of predictions) last = Math.max(last, position);
  for (const position of morePositions) last = Math.max(last, position);
  return tokens.slice(0, last + 1).map((token) => token.id);
}

function shownLines({ title, prefix = "", probabilities, predictions }: ShownTimeline): string[] {
  return [
    `# ${title === undefined ? "" : `${title}: `}the page's numbers: position read at, layer, token ids (the sum of several), probability, rank.`,
    `${prefix}PROBABILITIES = ${tupleList(
      probabilities.map((row) => [
        String(row.position),
        String(row.layer),
        `[${row.tokenIds.join(", ")}]`,
        pythonNumber(row.probability),
        row.rank === null ? "None" : String(row.rank),
      ]),
    )}`,
    "# Position, layer, entropy of the prediction, its KL(final || layer); both in nats.",
    `${prefix}PREDICTIONS = ${tupleList(
      predictions.map((row) => [
        String(row.position),
        String(row.layer),
        pythonNumber(row.entropyNats),
        pythonNumber(row.klToFinalNats),
      ]),
    )}`,
  ];
}
