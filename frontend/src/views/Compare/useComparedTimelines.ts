import { useCallback, useMemo } from "react";
import { useVisible } from "@/charts/heatmap/useVisible";
import { useLensInUse } from "@/features/settings/lensKind";
import type { LayerLabels } from "@/model/layers";
import { lensInUse } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import { readability } from "@/reading/readability";
import type { ModelInfo } from "@/types/schemas";
import { align } from "@/features/pair/alignment";
import type { BKind } from "@/features/pair/pair";
import type { LensKind } from "@/model/lenses";
import type { CompareChoices } from "./choices";
import { useComparedPairs, useComparedTarget } from "./comparedPairs";
import { layerPairs, rowLabel, rowsInUse } from "./comparison";
import { type Compared, differenceOf } from "./differences";
import type { OtherSide } from "@/features/pair/otherSide";
import { largestDifference, pairCells } from "./pairCells";
import type { Comparison } from "./pairReader";

interface ComparedTimelinesParts {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  readonly choices: CompareChoices;
  readonly side: OtherSide;
  readonly kind: BKind;
  /** Null is the lens of A. */
  readonly lensOfB: LensKind | null;
}

export type ComparedTimelines = ReturnType<typeof useComparedTimelines>;

/** Two timelines of known ids: aligned, read pair by pair, and ready to be drawn. */
export function useComparedTimelines({
  timeline,
  model,
  choices,
  side,
  kind,
  lensOfB,
}: ComparedTimelinesParts) {
  const { conversationId, tokens } = timeline;
  const { kind: lensA, hasHalf: hasHalfA } = useLensInUse();
  const lensB = lensInUse(lensOfB ?? lensA, model.lenses);
  const hasHalf = hasHalfA && lensB === lensA;
  const readable = readability(timeline);

  const alignment = useMemo(
    () =>
      align(
        tokens.map((token) => token.id),
        side.tokens.map((token) => token.id),
      ),
    [tokens, side.tokens],
  );
  const rows = rowsInUse(choices, kind, { a: lensA, b: lensB });
  const { layerA, layerB } = choices;
  const pairsOfLayers = useMemo(
    () => layerPairs(rows, { layerA, layerB }, model.num_layers, hasHalf),
    [rows, layerA, layerB, model.num_layers, hasHalf],
  );
  const comparison = useMemo<Comparison | null>(
    () =>
      conversationId === null
        ? null
        : {
            a: { conversation_id: conversationId, kind: lensA },
            b: { ...side.source, kind: lensB },
            layers: pairsOfLayers,
          },
    [conversationId, side.source, lensA, lensB, pairsOfLayers],
  );
  const difference = differenceOf(choices.difference);
  const isOfToken = difference.id === "target";
  const texts = { model: timeline.model, a: tokens, b: side.tokens };
  const tokenId = isOfToken ? choices.tokenId : null;
  const pairs = useComparedPairs(comparison, texts, alignment, readable);
  const target = useComparedTarget(comparison, texts, alignment, readable, tokenId);

  const layers = useMemo(() => pairsOfLayers.map(([a]) => a), [pairsOfLayers]);
  const layerLabels: LayerLabels = useMemo(
    () => Object.fromEntries(pairsOfLayers.map((pair) => [pair[0], rowLabel(pair, rows)])),
    [pairsOfLayers, rows],
  );
  const textsA = useMemo(() => tokens.map(cellText), [tokens]);
  const textsB = useMemo(() => side.tokens.map(cellText), [side.tokens]);
  const textOf = useCallback((id: number) => cellTextOfText(pairs.kept?.text(id) ?? ""), [pairs.kept]);

  const drawn = useMemo(() => {
    if (pairs.kept === null) return null;
    const both: Compared = { pairs: pairs.kept, target: target.kept };
    const rowOf = (layer: number): number => layers.indexOf(layer);
    return {
      compared: both,
      cells: pairCells({ alignment, compared: both, difference, rowOf }),
      scale: difference.scale(
        difference.isFitted ? largestDifference(alignment, both, difference, layers.length) : 0,
      ),
      versions: [pairs.version, target.version],
    };
  }, [alignment, pairs.kept, pairs.version, target.kept, target.version, difference, layers]);
  return {
    timeline,
    side,
    alignment,
    rows,
    layers: pairsOfLayers,
    rowLayers: layers,
    layerLabels,
    lensA,
    lensB,
    hasHalf,
    difference,
    isOfToken,
    isSettled: readable === "ready",
    pairs,
    target,
    textsA,
    textsB,
    textOf,
    /** Null while nothing can be read. */
    drawn,
    onVisible: useVisible(pairs.setVisible, target.setVisible),
  };
}
