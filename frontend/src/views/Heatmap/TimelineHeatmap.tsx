import { Suspense, useCallback, useId, useMemo, useRef, useState } from "react";
import type { Span } from "@/base/span";
import {
  type CellPlace,
  type Grid,
  type Hit,
  CELL_HEIGHT,
  MIN_TEXT_WIDTH,
  fittingHeight,
  fittingWidth,
  rowOf,
  shownLayer,
  zoomed,
} from "@/charts/heatmap/geometry";
import { GridWindow } from "@/charts/heatmap/GridWindow";
import { HeatmapGrid } from "@/charts/heatmap/HeatmapGrid";
import { Overview } from "@/charts/heatmap/Overview";
import type { Scene } from "@/charts/heatmap/paint";
import { useScrolledTo } from "@/charts/heatmap/useScrolledTo";
import { useVisible } from "@/charts/heatmap/useVisible";
import { WindowTable } from "@/charts/heatmap/WindowTable";
import { LensFailure } from "@/features/evidence/LensFailure";
import { NotRead } from "@/features/evidence/NotRead";
import { ReadingProgress } from "@/features/evidence/ReadingProgress";
import { useViewExport } from "@/features/export/useViewExport";
import { useNotes } from "@/features/notes/notes";
import { useSelection } from "@/features/selection/selection";
import { useLensInUse } from "@/features/settings/lensKind";
import { useTheme } from "@/features/settings/theme";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import { formatProbability, formatRank } from "@/model/format";
import { layerOf, notedPlaces, notesOn, onOneLine } from "@/model/notes";
import type { Timeline } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import { useTimelineLens } from "@/reading/lens";
import type { ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Caption } from "./Caption";
import { fitsRows, useHeatmapLook } from "./choices";
import { Controls } from "./Controls";
import { CellTip } from "./CellTip";
import { describeCell } from "./describe";
import { HeatmapFinding } from "./HeatmapFinding";
import { lensHeads } from "./lensCells";
import { lensTable } from "./lensTable";
import { METRICS } from "./metrics";
import { OutlineStatus } from "./OutlineStatus";
import { RangeControls } from "./RangeControls";
import { useCells } from "./useCells";
import { useGridRoom } from "./useGridRoom";
import { useOutline } from "./useOutline";
import { useRange } from "./useRange";

/** Follows the grid, which is what is looked at first. */
const CellCard = lazyPart(() => import("./CellCard"));

interface TimelineHeatmapProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

export function TimelineHeatmap({ timeline, model }: TimelineHeatmapProps) {
  const { tokens } = timeline;
  const nPositions = tokens.length;
  const { index, layer, select } = useSelection();
  const theme = useTheme();
  const [look, changeLook] = useHeatmapLook();
  const lensInUse = useLensInUse();
  const { kind, hasHalf } = lensInUse;
  const lens = useTimelineLens(timeline, lensInUse);
  const { columns, version } = lens;
  const [active, setActive] = useState<CellPlace | null>(null);
  const [hovered, setHovered] = useState<CellPlace | null>(null);
  const chosenRange = useRange();
  const { range, picking, take, clear } = chosenRange;
  useShortcuts(
    {},
    () => {
      if (picking !== null) clear();
    },
    false,
  );
  const [gridWindow] = useState(() => new GridWindow());
  const frame = useRef<HTMLDivElement>(null);
  const gridId = useId();

  const last = model.num_layers;
  const drawn = useCells({ tokens, model, look, hasHalf, columns, version });
  const { layers, layerLabels, tokenTexts, textOf, metric, scale, ramp, answer, answerRamp } = drawn;
  const { painted } = drawn;

  const outline = useOutline({
    timeline,
    lens: lensInUse,
    layers,
    tokenId: look.outlinedToken,
    rank: look.outlinedRank,
  });
  const { ranks, chosen } = outline;

  const { notes } = useNotes();
  const noted = useMemo(() => (notes.length === 0 ? undefined : notedPlaces(notes)), [notes]);

  const heads = useMemo(() => lensHeads(tokenTexts, noted), [tokenTexts, noted]);

  const selectedPosition = index === null || index === 0 || index >= nPositions ? null : index - 1;
  const [above, room] = useGridRoom();
  const table = useScrolledTo<HTMLDivElement>(look.hasTable);
  const cellHeight =
    room !== null && fitsRows(look, layers.length) ? fittingHeight(layers.length, room) : CELL_HEIGHT;
  const grid = useMemo<Grid>(
    () => ({ nPositions, layers, cellWidth: look.cellWidth, cellHeight }),
    [nPositions, layers, look.cellWidth, cellHeight],
  );
  const scene = useMemo<Scene | null>(
    () =>
      painted === null
        ? null
        : {
            grid,
            cells: painted.cells,
            looks: painted.looks,
            picture: painted.picture,
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
      painted,
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
    active ?? { position: selectedPosition ?? nPositions - 1, layer: layer ?? last },
  );
  const shown = hovered === null ? cursor : nearestCell(grid, hovered);

  const onChoose = useCallback(
    (hit: Hit) => {
      if (hit.position !== null && take(hit.position)) return;
      if (hit.position !== null) {
        const { position } = hit;
        setActive((before) => ({ position, layer: hit.layer ?? before?.layer ?? last }));
      }
      // What a column predicts is the token after it: that is the one to select.
      if (hit.position === null) select(index, hit.layer);
      else if (hit.position + 1 < nPositions) select(hit.position + 1, hit.layer ?? layer);
    },
    [index, layer, last, select, nPositions, take],
  );
  useViewExport(
    columns === null || columns.layers.length === 0
      ? "The conversation is not read yet."
      : async () => {
          const { heatmapExport } = await import("./viewExport");
          return heatmapExport({
            tokens,
            columns,
            range,
            layerLabels,
            metric,
            scale,
            rampName: drawn.rampName,
            answer,
            shown: gridWindow.get(),
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
  /** The widest cells at which all of the span is seen, from its first column on, and every row. */
  const onFit = ({ start, end }: Span): void => {
    const cellWidth = fittingWidth(end - start, frame.current?.clientWidth ?? 0);
    if (cellWidth === look.cellWidth) gridWindow.moveTo(start);
    else gridWindow.moveOnceResized(start);
    changeLook({ cellWidth, fit: "on" });
  };
  const onGo = (place: CellPlace): void => {
    onChoose(place);
    // The last column predicts no token that could be selected, so nothing else brings it into view.
    gridWindow.moveTo(place.position);
  };

  if (columns === null || scene === null) {
    return (
      <p role="status" className="m-auto max-w-sm p-6 text-center text-muted">
        <NotRead status={lens.status} what="Its columns" />
      </p>
    );
  }
  const { looks, picture } = scene;
  const notesOf = ({ position, layer: at }: CellPlace): string[] => {
    const row = rowOf(grid, at) ?? 0;
    return [
      ...(looks.isAnswer(position, row)
        ? [answer === "actual" ? "the actual next token" : "final-layer top-1"]
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
        layer: place.layer,
        readText: tokenTexts[place.position] ?? "",
        nextText: tokenTexts[place.position + 1] ?? null,
        notes: [
          ...notesOf(place),
          ...(metric.isSigned
            ? [`delta log-prob. of the actual next token ${changeAt(columns, place)} nats`]
            : []),
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
  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div ref={above} className="flex shrink-0 flex-col">
        <HeatmapFinding
          metric={metric}
          columns={columns}
          version={version}
          nPositions={nPositions}
          onGo={onGo}
        />
        <Controls
          look={look}
          drawn={drawn}
          outlines={outline.choices}
          outlined={chosen?.id ?? null}
          onChange={changeLook}
          onFit={() => onFit({ start: 0, end: nPositions })}
        />
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
      </div>
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
        card={({ position, layer: at }) => (
          <CellTip
            position={position}
            layer={at}
            cell={columns.cell(position, at)}
            next={tokens[position + 1] ?? null}
          />
        )}
      />
      <ReadingProgress lens={lens} hatched="columns">
        <RangeControls chosen={chosenRange} isNarrow={look.cellWidth < MIN_TEXT_WIDTH} onFit={onFit} />
      </ReadingProgress>
      {chosen !== null && outline.outlined !== null && (
        <OutlineStatus
          text={chosen.text}
          rank={look.outlinedRank}
          outlined={outline.outlined}
          ranks={ranks}
        />
      )}
      <ErrorBoundary>
        <Suspense fallback={<p className="min-h-40 shrink-0 px-3 py-2 text-quiet">Opening…</p>}>
          <CellCard
            tokens={tokens}
            position={shown.position}
            layer={shown.layer}
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
        </Suspense>
      </ErrorBoundary>
      {look.hasTable && (
        <div ref={table}>
          <WindowTable
            gridWindow={gridWindow}
            nPositions={nPositions}
            range={range}
            contents={lensTable({
              tokens,
              columns,
              metric,
              outlined:
                chosen === null || ranks.columns === null
                  ? null
                  : { text: chosen.text, ranks: ranks.columns },
            })}
            layers={layers}
            layerLabels={layerLabels}
            active={cursor}
            onChoose={onChoose}
          />
        </div>
      )}
      <Caption hasNotes={noted !== undefined} echoes={kind === "logit" && model.tied_embeddings} />
    </div>
  );
}

/** The cell itself, or the nearest one that there is. */
const nearestCell = (grid: Grid, place: CellPlace): CellPlace => ({
  position: Math.min(place.position, grid.nPositions - 1),
  layer: shownLayer(grid, place.layer),
});
