import { useCallback, useId, useMemo, useRef, useState } from "react";
import type { ModelInfo } from "@/api/client";
import { useTimelineLens } from "@/api/lens";
import { CellCard } from "@/components/heatmap/CellCard";
import { CellPicture } from "@/components/heatmap/CellPicture";
import { GridWindow } from "@/components/heatmap/GridWindow";
import { HeatmapGrid } from "@/components/heatmap/HeatmapGrid";
import { Legend } from "@/components/heatmap/Legend";
import { Overview } from "@/components/heatmap/Overview";
import { CellLooks } from "@/components/heatmap/cellLooks";
import { describeCell } from "@/components/heatmap/describe";
import {
  type CellPlace,
  type Grid,
  type Hit,
  MIN_TEXT_WIDTH,
  fittingWidth,
  rowOf,
  shownLayer,
  stridedLayers,
  zoomed,
} from "@/components/heatmap/geometry";
import { lensCells, lensHeads } from "@/components/heatmap/lensCells";
import type { Scene } from "@/components/heatmap/paint";
import { WindowTable } from "@/components/heatmap/WindowTable";
import { useVisible } from "@/components/heatmap/useVisible";
import { LensFailure } from "@/components/lens/LensFailure";
import { ReadingProgress } from "@/components/lens/ReadingProgress";
import { Switch } from "@/components/ui/Switch";
import { useLensKind } from "@/context/lens";
import { useNotes } from "@/context/notes";
import { useOffer } from "@/context/offer";
import { useSelection } from "@/context/selection";
import { useTheme } from "@/context/theme";
import { DIVERGING, RAMPS, SECOND_HUE } from "@/lib/colour";
import type { LensColumns, Span } from "@/lib/columns";
import { formatProbability, formatRank } from "@/lib/format";
import { layerLabels as layerLabelsOf } from "@/lib/layers";
import { METRICS } from "@/lib/metrics";
import { layerOf, notedPlaces, notesOn, onOneLine } from "@/lib/notes";
import { cellText, cellTextOfText } from "@/lib/tokens";
import type { Timeline } from "@/types/timeline";
import { LookControls } from "./LookControls";
import { OutlineStatus } from "./OutlineStatus";
import { RangeControls } from "./RangeControls";
import { Toolbar } from "./Toolbar";
import { useHeatmapLook } from "./choices";
import { lensTable } from "./lensTable";
import { useOutline } from "./useOutline";
import { useRange } from "./useRange";
import { useScale } from "./useScale";

interface TimelineHeatmapProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

/** What takes the second hue, in words. */
const SECOND_MEANING = {
  output: "the first choice is already the output’s",
  actual: "the first choice is the token that follows",
} as const;

export function TimelineHeatmap({ timeline, model }: TimelineHeatmapProps) {
  const { tokens } = timeline;
  const nPositions = tokens.length;
  const { index, layer, select } = useSelection();
  const theme = useTheme();
  const [look, changeLook] = useHeatmapLook();
  const kind = useLensKind();
  const lens = useTimelineLens(timeline, kind);
  const { columns, version } = lens;
  const [active, setActive] = useState<CellPlace | null>(null);
  const [hovered, setHovered] = useState<CellPlace | null>(null);
  const chosenRange = useRange();
  const { range, take } = chosenRange;
  const [gridWindow] = useState(() => new GridWindow());
  const frame = useRef<HTMLDivElement>(null);
  const gridId = useId();

  const nLayers = model.num_layers + 1;
  const { layers, layerLabels } = useMemo(
    () => ({
      layers: stridedLayers(nLayers, look.stride),
      layerLabels: layerLabelsOf(nLayers),
    }),
    [nLayers, look.stride],
  );
  const tokenIds = useMemo(() => tokens.map((token) => token.id), [tokens]);
  const tokenTexts = useMemo(() => tokens.map(cellText), [tokens]);
  const textOf = useMemo(() => {
    // Of the tokens in the timeline the bytes are known, of others only the text.
    const known = new Map(tokenIds.map((id, i) => [id, tokenTexts[i] ?? ""]));
    return (id: number) => known.get(id) ?? cellTextOfText(columns?.text(id) ?? "");
  }, [tokenIds, tokenTexts, columns]);

  const metric = METRICS.find(({ id }) => id === look.metric) ?? METRICS[0];
  const { scale, hasExtremes } = useScale({
    metric,
    columns,
    version,
    nPositions,
    vocabularySize: model.vocab_size,
    withExtremes: look.withExtremes,
  });
  const rampName = metric.isSigned ? look.signedRamp : look.ramp;
  const ramp = rampName === "diverging" ? DIVERGING[theme] : RAMPS[rampName];
  // A diverging ramp's hue is the sign, so nothing else can be told by hue.
  const answer = rampName === "diverging" ? "off" : look.answer;
  const answerRamp = rampName === "diverging" ? ramp : SECOND_HUE[rampName];

  const outline = useOutline({
    timeline,
    kind,
    layers,
    tokenId: look.outlinedToken,
    rank: look.outlinedRank,
  });
  const { ranks, chosen } = outline;

  const { notes } = useNotes();
  const noted = useMemo(() => (notes.length === 0 ? undefined : notedPlaces(notes)), [notes]);

  const { cells, looks, picture } = useMemo(() => {
    if (columns === null) return { cells: null, looks: null, picture: null, version };
    const source = lensCells({ columns, metric, answer, tokenIds });
    const worked = new CellLooks({ cells: source, layers, scale });
    return { cells: source, looks: worked, picture: new CellPicture(worked, ramp, answerRamp), version };
  }, [columns, version, layers, metric, scale, answer, tokenIds, ramp, answerRamp]);
  const heads = useMemo(() => lensHeads(tokenTexts, noted), [tokenTexts, noted]);

  const selectedPosition = index === null || index === 0 || index >= nPositions ? null : index - 1;
  const grid = useMemo<Grid>(
    () => ({ nPositions, layers, cellWidth: look.cellWidth }),
    [nPositions, layers, look.cellWidth],
  );
  const scene = useMemo<Scene | null>(
    () =>
      cells === null
        ? null
        : {
            grid,
            cells,
            looks,
            picture,
            layerLabels,
            heads,
            ramp,
            answerRamp,
            outlined: outline.outlined,
            noted,
            range,
            selectedPosition,
            selectedLayer: layer,
          },
    [
      grid,
      cells,
      looks,
      picture,
      layerLabels,
      heads,
      ramp,
      answerRamp,
      outline.outlined,
      noted,
      range,
      selectedPosition,
      layer,
    ],
  );

  const onVisible = useVisible(lens.setVisible, ranks.setVisible);

  const cursor = nearestCell(
    grid,
    active ?? { position: selectedPosition ?? nPositions - 1, layer: layer ?? nLayers - 1 },
  );
  const shown = hovered === null ? cursor : nearestCell(grid, hovered);

  const onChoose = useCallback(
    (hit: Hit) => {
      if (hit.position !== null && take(hit.position)) return;
      if (hit.position !== null) {
        const { position } = hit;
        setActive((before) => ({ position, layer: hit.layer ?? before?.layer ?? nLayers - 1 }));
      }
      // What a column predicts is the token after it: that is the one to select.
      if (hit.position === null) select(index, hit.layer);
      else if (hit.position + 1 < nPositions) select(hit.position + 1, hit.layer ?? layer);
    },
    [index, layer, nLayers, select, nPositions, take],
  );
  useOffer(
    columns === null || columns.nLayers === 0
      ? "The conversation is not read yet."
      : async () => {
          const { heatmapExhibit } = await import("./exhibit");
          return heatmapExhibit({
            tokens,
            columns,
            layerLabels,
            metric,
            scale,
            // Exports are always light.
            ramp: rampName === "diverging" ? DIVERGING.light : ramp,
            answer,
            answerRamp,
            cellWidth: look.cellWidth,
          });
        },
    METRICS.map(({ id, title }) => ({
      label: `Colour the heatmap by ${title}`,
      run: () => changeLook({ metric: id }),
    })),
  );
  const onZoom = useCallback(
    (direction: 1 | -1) => changeLook({ cellWidth: zoomed(look.cellWidth, direction) }),
    [changeLook, look.cellWidth],
  );
  /** The widest cells at which all of the span is seen, from its first column on. */
  const onFit = ({ start, end }: Span): void => {
    const cellWidth = fittingWidth(end - start, frame.current?.clientWidth ?? 0);
    if (cellWidth === look.cellWidth) gridWindow.moveTo(start);
    else gridWindow.moveOnceResized(start);
    changeLook({ cellWidth });
  };

  if (columns === null || scene === null || looks === null) return null;
  const notesOf = ({ position, layer: at }: CellPlace): string[] => {
    const row = rowOf(grid, at) ?? 0;
    return [
      ...(looks.isAnswer(position, row)
        ? [answer === "actual" ? "the actual next token" : "the output’s choice"]
        : []),
      ...(looks.isClipped(position, row) ? ["beyond the colour scale"] : []),
      ...notesOn(notes, position + 1)
        .filter((note) => layerOf(note) === at)
        .map((note) => `note: ${onOneLine(note.text, 120)}`),
    ];
  };
  const placeOf = ({ position, layer: at }: CellPlace) => ranks.columns?.place(position, at) ?? null;
  const describe = (place: CellPlace): string => {
    const outlined = chosen === null ? null : placeOf(place);
    return describeCell(
      {
        position: place.position,
        layerLabel: layerLabels[place.layer] ?? "",
        readText: tokenTexts[place.position] ?? "",
        nextText: tokenTexts[place.position + 1] ?? null,
        notes: [
          ...notesOf(place),
          ...(metric.isSigned ? [`change of the actual next token ${changeAt(columns, place)} nats`] : []),
          ...(outlined === null || chosen === null
            ? []
            : [
                `outlined token “${chosen.text}” rank ${formatRank(outlined.rank)}, probability ${formatProbability(outlined.probability)}`,
              ]),
        ],
      },
      columns.cell(place.position, place.layer),
    );
  };
  const changeAt = (from: LensColumns, place: CellPlace): string =>
    metric.format(metric.value(from, place.position, place.layer));
  const shownPlace = placeOf(shown);
  const isBusy = timeline.status !== "settled";
  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div className="flex flex-wrap items-end gap-x-2 gap-y-1.5 px-3 pt-2">
        <Toolbar
          look={look}
          metric={metric}
          outlines={outline.choices}
          outlined={chosen?.id ?? null}
          onChange={changeLook}
          onFit={() => onFit({ start: 0, end: nPositions })}
        />
        <Legend
          metric={metric}
          scale={scale}
          ramp={ramp}
          second={answer === "off" ? null : { ramp: answerRamp, meaning: SECOND_MEANING[answer] }}
          nClipped={looks.nClipped}
        >
          {hasExtremes && (
            <Switch
              label="Let the first token and the embedding set the scale"
              checked={look.withExtremes}
              onChange={(withExtremes) => changeLook({ withExtremes })}
            />
          )}
        </Legend>
        <LookControls look={look} metric={metric} onChange={changeLook} />
      </div>
      {lens.error !== null && (
        <div className="px-3 pb-2">
          <LensFailure
            title="The conversation could not be read in full."
            error={lens.error}
            onRetry={lens.retry}
          />
        </div>
      )}
      {ranks.error !== null && (
        <div className="px-3 pb-2">
          <LensFailure
            title="The outlined token could not be read everywhere."
            error={ranks.error}
            onRetry={ranks.retry}
          />
        </div>
      )}
      <Overview
        picture={picture}
        nPositions={nPositions}
        nRows={layers.length}
        unit="index"
        gridId={gridId}
        gridWindow={gridWindow}
        range={range}
        selectedPosition={selectedPosition}
        theme={theme}
        onZoom={onZoom}
      />
      <HeatmapGrid
        id={gridId}
        label={`Layers by tokens, coloured by ${metric.title}`}
        scene={scene}
        textOf={textOf}
        theme={theme}
        active={cursor}
        activeDescription={describe(cursor)}
        hovered={hovered}
        gridWindow={gridWindow}
        onHover={setHovered}
        onActivate={setActive}
        onChoose={onChoose}
        onRange={chosenRange.setRange}
        onClearRange={chosenRange.clear}
        onZoom={onZoom}
        onVisible={onVisible}
      />
      <ReadingProgress lens={lens} isBusy={isBusy} hatched="columns">
        <RangeControls chosen={chosenRange} isNarrow={look.cellWidth < MIN_TEXT_WIDTH} onFit={onFit} />
      </ReadingProgress>
      {chosen !== null && outline.outlined !== null && (
        <OutlineStatus
          text={chosen.text}
          rank={look.outlinedRank}
          outlined={outline.outlined}
          ranks={ranks}
          isBusy={isBusy}
        />
      )}
      <CellCard
        tokens={tokens}
        position={shown.position}
        layerLabel={layerLabels[shown.layer] ?? ""}
        cell={columns.cell(shown.position, shown.layer)}
        more={[
          ...(metric.isSigned
            ? [{ name: "change by this block, nats", value: changeAt(columns, shown) }]
            : []),
          ...(chosen === null
            ? []
            : [
                { name: `${chosen.text}: rank`, value: formatRank(shownPlace?.rank ?? null) },
                {
                  name: `${chosen.text}: probability`,
                  value: formatProbability(shownPlace?.probability ?? null),
                },
              ]),
        ]}
        notes={notesOf(shown)}
      />
      {look.hasTable && (
        <WindowTable
          gridWindow={gridWindow}
          nPositions={nPositions}
          range={range}
          contents={lensTable({
            tokens,
            columns,
            metric,
            outlined:
              chosen === null || ranks.columns === null ? null : { text: chosen.text, ranks: ranks.columns },
          })}
          layers={layers}
          layerLabels={layerLabels}
          active={cursor}
          onChoose={onChoose}
        />
      )}
      <p className="mt-auto px-3 py-2 text-label text-muted">
        A column is read at its token and predicts the next one; a click selects the token it predicts. The
        corner mark <span aria-hidden="true">◥</span> says that a layer&rsquo;s first choice is the token that
        really follows
        {noted !== undefined && (
          <>
            , and <span aria-hidden="true">◤</span> that a cell has a note; a line under a token says the same
            of the token
          </>
        )}
        .{" "}
        {kind === "logit" &&
          model.tied_embeddings &&
          "The embed row tends to echo its own token: input and output embeddings are shared."}
      </p>
    </div>
  );
}

/** The cell itself, or the nearest one that there is. */
const nearestCell = (grid: Grid, place: CellPlace): CellPlace => ({
  position: Math.min(place.position, grid.nPositions - 1),
  layer: shownLayer(grid, place.layer),
});
