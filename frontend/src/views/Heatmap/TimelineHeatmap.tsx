import { useCallback, useMemo, useRef, useState } from "react";
import type { ModelInfo } from "@/api/client";
import { useTimelineLens } from "@/api/lens";
import { CellCard } from "@/components/heatmap/CellCard";
import { HeatmapGrid } from "@/components/heatmap/HeatmapGrid";
import { Legend } from "@/components/heatmap/Legend";
import { describeCell } from "@/components/heatmap/describe";
import { type CellPlace, type Hit, fittingWidth, zoomed } from "@/components/heatmap/geometry";
import { LensFailure } from "@/components/lens/LensFailure";
import { Switch } from "@/components/ui/Switch";
import { useLensKind } from "@/context/lens";
import { useOffer } from "@/context/offer";
import { useSelection } from "@/context/selection";
import { useTheme } from "@/context/theme";
import { RAMPS, roundUp } from "@/lib/colour";
import { METRICS } from "@/lib/metrics";
import { cellText, cellTextOfText } from "@/lib/tokens";
import type { Timeline } from "@/types/timeline";
import { ReadingProgress } from "./ReadingProgress";
import { Toolbar } from "./Toolbar";
import { useHeatmapLook } from "./useHeatmapLook";

interface TimelineHeatmapProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

export function TimelineHeatmap({ timeline, model }: TimelineHeatmapProps) {
  const { tokens } = timeline;
  const { index, layer, select } = useSelection();
  const theme = useTheme();
  const [look, changeLook] = useHeatmapLook();
  const kind = useLensKind();
  const lens = useTimelineLens(timeline, kind);
  const { columns, version } = lens;
  const [active, setActive] = useState<CellPlace | null>(null);
  const [hovered, setHovered] = useState<CellPlace | null>(null);
  const [withFirst, setWithFirst] = useState(false);
  const frame = useRef<HTMLDivElement>(null);

  const nLayers = model.num_layers + 1;
  const layerLabels = useMemo(
    () => Array.from({ length: nLayers }, (_, each) => (each === 0 ? "embed" : String(each))),
    [nLayers],
  );
  const tokenIds = useMemo(() => tokens.map((token) => token.id), [tokens]);
  const tokenTexts = useMemo(() => tokens.map(cellText), [tokens]);
  const textOf = useMemo(() => {
    // Of the tokens in the timeline the bytes are known, of others only the text.
    const known = new Map(tokenIds.map((id, i) => [id, tokenTexts[i] ?? ""]));
    return (id: number) => known.get(id) ?? cellTextOfText(columns?.text(id) ?? "");
  }, [tokenIds, tokenTexts, columns]);

  const metric = METRICS.find(({ id }) => id === look.metric) ?? METRICS[0];
  const kl = useMemo(
    () => ({
      // The first position attends to nothing but itself; its divergence can dwarf all others.
      rest: columns?.maxKlToFinalNats(1, tokens.length) ?? 0,
      all: columns?.maxKlToFinalNats(0, tokens.length) ?? 0,
      version,
    }),
    [columns, tokens.length, version],
  );
  const isDistorted = look.metric === "kl" && roundUp(kl.all) > roundUp(kl.rest);
  const maxKlNats = withFirst ? kl.all : kl.rest;
  const scale = useMemo(
    () => metric?.scale({ vocabularySize: model.vocab_size, maxKlNats }),
    [metric, model.vocab_size, maxKlNats],
  );

  const selectedPosition = index === null || index === 0 || index >= tokens.length ? null : index - 1;
  const cursor = clampTo(
    active ?? { position: selectedPosition ?? tokens.length - 1, layer: layer ?? nLayers - 1 },
    tokens.length,
    nLayers,
  );
  const shown = hovered ?? cursor;

  const onChoose = useCallback(
    (hit: Hit) => {
      if (hit.position !== null) {
        const { position } = hit;
        setActive((before) => ({ position, layer: hit.layer ?? before?.layer ?? nLayers - 1 }));
      }
      // What a column predicts is the token after it: that is the one to select.
      if (hit.position === null) select(index, hit.layer);
      else if (hit.position + 1 < tokens.length) select(hit.position + 1, hit.layer ?? layer);
    },
    [index, layer, nLayers, select, tokens.length],
  );
  useOffer(
    columns === null || columns.nLayers === 0 || metric === undefined || scale === undefined
      ? "The conversation is not read yet."
      : async () => {
          const { heatmapExhibit } = await import("./exhibit");
          return heatmapExhibit({
            tokens,
            columns,
            layerLabels,
            metric,
            scale,
            ramp: RAMPS[look.ramp],
            cellWidth: look.cellWidth,
          });
        },
    METRICS.map(({ id, title }) => ({
      label: `Colour the heatmap by ${title}`,
      run: () => changeLook({ metric: id }),
    })),
  );
  const onZoom = (direction: 1 | -1) => changeLook({ cellWidth: zoomed(look.cellWidth, direction) });
  const onFit = () => changeLook({ cellWidth: fittingWidth(tokens.length, frame.current?.clientWidth ?? 0) });

  if (metric === undefined || scale === undefined || columns === null) return null;
  const describe = (place: CellPlace): string =>
    describeCell(
      {
        position: place.position,
        layerLabel: layerLabels[place.layer] ?? "",
        readText: tokenTexts[place.position] ?? "",
        nextText: tokenTexts[place.position + 1] ?? null,
      },
      columns.cell(place.position, place.layer),
    );
  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-2 px-3 py-2">
        <Toolbar look={look} onChange={changeLook} onFit={onFit} />
        <Legend metric={metric} scale={scale} ramp={RAMPS[look.ramp]} />
      </div>
      {isDistorted && (
        <div className="px-3 pb-1">
          <Switch
            label="Let the first token set the scale too (its divergence is much larger)"
            checked={withFirst}
            onChange={setWithFirst}
          />
        </div>
      )}
      {lens.error !== null && (
        <div className="px-3 pb-2">
          <LensFailure
            title="The conversation could not be read in full."
            error={lens.error}
            onRetry={lens.retry}
          />
        </div>
      )}
      <HeatmapGrid
        label={`Layers by tokens, coloured by ${metric.title}`}
        columns={columns}
        version={version}
        nLayers={nLayers}
        layerLabels={layerLabels}
        tokenIds={tokenIds}
        tokenTexts={tokenTexts}
        textOf={textOf}
        metric={metric}
        scale={scale}
        ramp={RAMPS[look.ramp]}
        theme={theme}
        cellWidth={look.cellWidth}
        selectedPosition={selectedPosition}
        selectedLayer={layer}
        active={cursor}
        activeDescription={describe(cursor)}
        hovered={hovered}
        onHover={setHovered}
        onActivate={setActive}
        onChoose={onChoose}
        onZoom={onZoom}
        onVisible={lens.setVisible}
      />
      <ReadingProgress lens={lens} isBusy={timeline.status !== "settled"} />
      <CellCard
        tokens={tokens}
        position={shown.position}
        layerLabel={layerLabels[shown.layer] ?? ""}
        cell={columns.cell(shown.position, shown.layer)}
      />
      <p className="mt-auto px-3 py-2 text-label text-muted">
        A column is read at its token and predicts the next one; a click selects the token it predicts. The
        corner mark <span aria-hidden="true">◥</span> says that a layer&rsquo;s first choice is the token that
        really follows.{" "}
        {kind === "logit" &&
          model.tied_embeddings &&
          "The embed row tends to echo its own token: input and output embeddings are shared."}
      </p>
    </div>
  );
}

const clampTo = (place: CellPlace, nPositions: number, nLayers: number): CellPlace => ({
  position: Math.min(place.position, nPositions - 1),
  layer: Math.min(place.layer, nLayers - 1),
});
