/** The cells of the conversation, the texts in them and the colours they have under the current choices. */
import { useCallback, useMemo } from "react";
import { DIVERGING, RAMPS, SECOND_HUE } from "@/charts/colour/colour";
import { CellLooks } from "@/charts/heatmap/cellLooks";
import { CellPicture } from "@/charts/heatmap/CellPicture";
import { stridedLayers } from "@/charts/heatmap/geometry";
import { useTheme } from "@/features/settings/theme";
import { everyLayer, layerLabelsOf } from "@/model/layers";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { LensColumns } from "@/reading/columns";
import type { ModelInfo } from "@/types/schemas";
import type { HeatmapLook } from "./choices";
import { lensCells } from "./lensCells";
import { METRICS } from "./metrics";
import { useScale } from "./useScale";

interface CellsRequest {
  readonly tokens: readonly Token[];
  readonly model: ModelInfo;
  readonly look: HeatmapLook;
  readonly hasHalf: boolean;
  /** Filled in place; `version` tells when. Null before the first was read. */
  readonly columns: LensColumns | null;
  readonly version: number;
}

export function useCells({ tokens, model, look, hasHalf, columns, version }: CellsRequest) {
  const theme = useTheme();
  const last = model.num_layers;
  const { layers, layerLabels } = useMemo(() => {
    const every = everyLayer(last, hasHalf);
    return { layers: stridedLayers(every, look.stride), layerLabels: layerLabelsOf(every) };
  }, [last, hasHalf, look.stride]);
  const tokenIds = useMemo(() => tokens.map((token) => token.id), [tokens]);
  const tokenTexts = useMemo(() => tokens.map(cellText), [tokens]);
  const textOf = useCallback((id: number) => cellTextOfText(columns?.text(id) ?? ""), [columns]);

  const metric = METRICS.find(({ id }) => id === look.metric) ?? METRICS[0];
  const { scale, hasExtremes } = useScale({
    metric,
    columns,
    version,
    nPositions: tokens.length,
    vocabularySize: model.vocab_size,
    withExtremes: look.withExtremes,
    isFull: look.isFull,
  });
  const rampName = metric.isSigned ? look.signedRamp : look.ramp;
  const ramp = rampName === "diverging" ? DIVERGING[theme] : RAMPS[rampName];
  // A diverging ramp's hue is the sign, so nothing else can be told by hue.
  const answer = rampName === "diverging" ? "off" : look.answer;
  const answerRamp = rampName === "diverging" ? ramp : SECOND_HUE[rampName];

  const painted = useMemo(() => {
    if (columns === null) return null;
    const cells = lensCells({ columns, metric, answer, tokenIds });
    const looks = new CellLooks({ cells, layers, scale });
    return { cells, looks, picture: new CellPicture(looks, ramp, answerRamp), version };
  }, [columns, version, layers, metric, scale, answer, tokenIds, ramp, answerRamp]);
  return {
    layers,
    layerLabels,
    tokenTexts,
    textOf,
    metric,
    scale,
    hasExtremes,
    ramp,
    rampName,
    answer,
    answerRamp,
    /** Null before the first was read. */
    painted,
  };
}
