/** The model's output at one position, under one list of interventions after another. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Intervention, Timeline } from "@/model/timeline";
import type { LensReadResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { fetchLens } from "./requests";
import { sourceOf } from "./source";
import { type SingleReading, useReading } from "./useReading";

export interface TargetScore {
  readonly probability: number;
  readonly rank: number;
}

/** One run, as its output reads. */
export interface RunOutput {
  /** Of each target, in their order. */
  readonly targets: readonly TargetScore[];
  /** The same at each layer that was asked for, through the logit lens: `[layer][target]`, the output last. */
  readonly byLayer: readonly (readonly TargetScore[])[];
  readonly top: { readonly tokenId: number; readonly text: string; readonly probability: number };
  /** For each intervention, at how many layers over all positions it acted. */
  readonly fired: readonly number[];
}

export interface RunsQuestion {
  /** Below 0 asks for nothing. */
  readonly position: number;
  readonly targets: readonly number[];
  /** An empty list is the plain model. */
  readonly runs: readonly (readonly Intervention[])[];
  /** The model's last layer; null while the model is not known. */
  readonly nLayers: number | null;
  /** Reads every layer, not the output alone. */
  readonly isByLayer?: boolean;
}

/** The outputs of all runs, in their order, from the ids that are shown. */
export function useRuns(
  timeline: Timeline,
  { position, targets, runs, nLayers, isByLayer = false }: RunsQuestion,
): SingleReading<readonly RunOutput[]> {
  const { conversationId, model, tokens } = timeline;
  const last = nLayers ?? 0;
  const layers = isByLayer ? Array.from({ length: last + 1 }, (_, layer) => layer) : [last];
  const text = textKey(tokens, tokens.length);
  return useReading({
    key: ["runs", modelKey(model), conversationId, text, position, targets, runs, isByLayer],
    readable: readability(timeline),
    isAsked: position >= 0 && position < tokens.length && runs.length > 0 && nLayers !== null,
    ask: async (signal) => {
      const outputs: RunOutput[] = [];
      for (const interventions of runs) {
        const answer = await lane.afterwards(() =>
          fetchLens(
            {
              ...sourceOf(conversationId, tokens),
              interventions: [...interventions],
              layers,
              positions: [position, position + 1],
              targets: [...targets],
              top_k: 1,
              include_tokens: false,
            },
            model,
            signal,
          ),
        );
        outputs.push(outputOf(answer));
      }
      return outputs;
    },
    merge: asTheyAre,
    passing: passingAfter(timeline),
  });
}

const asTheyAre = (outputs: readonly RunOutput[]): readonly RunOutput[] => outputs;

function outputOf({ targets, top_ids, top_probabilities, vocabulary, fired }: LensReadResponse): RunOutput {
  const tokenId = top_ids.at(-1)?.[0]?.[0] ?? -1;
  const byLayer = top_ids.map((_, layer) =>
    targets.map(({ probability, rank }) => ({
      probability: probability[layer]?.[0] ?? Number.NaN,
      rank: rank[layer]?.[0] ?? 0,
    })),
  );
  return {
    targets: byLayer.at(-1) ?? [],
    byLayer,
    top: {
      tokenId,
      text: vocabulary[String(tokenId)] ?? "",
      probability: top_probabilities.at(-1)?.[0]?.[0] ?? Number.NaN,
    },
    fired,
  };
}
