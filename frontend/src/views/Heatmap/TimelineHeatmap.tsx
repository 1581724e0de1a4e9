import { Suspense, useCallback, useId, useRef, useState } from "react";
import type { Span } from "@/base/span";
import { type CellPlace, MIN_TEXT_WIDTH, fittingWidth, zoomed } from "@/charts/heatmap/geometry";
import { GridWindow } from "@/charts/heatmap/GridWindow";
import { HeatmapGrid } from "@/charts/heatmap/HeatmapGrid";
import { Overview } from "@/charts/heatmap/Overview";
import { useVisible } from "@/charts/heatmap/useVisible";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { ReadingProgress } from "@/features/evidence/ReadingProgress";
import { useNotes } from "@/features/notes/notes";
import { useLensInUse } from "@/features/settings/lensKind";
import { useTheme } from "@/features/settings/theme";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import type { Timeline } from "@/model/timeline";
import { useTimelineLens } from "@/reading/lens";
import type { ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Caption } from "./Caption";
import { CellTip } from "./CellTip";
import { cellWords } from "./cellWords";
import { useHeatmapLook } from "./choices";
import { Controls } from "./Controls";
import { heatmapExports } from "./heatmapExports";
import { HeatmapFinding } from "./HeatmapFinding";
import { HeatmapTable } from "./HeatmapTable";
import { OutlineStatus } from "./OutlineStatus";
import { RangeControls } from "./RangeControls";
import { useCells } from "./useCells";
import { useGridRoom } from "./useGridRoom";
import { useOutline } from "./useOutline";
import { usePlace } from "./usePlace";
import { useRange } from "./useRange";
import { useScene } from "./useScene";

/** Follows the grid, which is what is looked at first. */
const CellCard = lazyPart(() => import("./CellCard"));

interface TimelineHeatmapProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

export function TimelineHeatmap({ timeline, model }: TimelineHeatmapProps) {
  const { tokens } = timeline;
  const nPositions = tokens.length;
  const theme = useTheme();
  const [look, changeLook] = useHeatmapLook();
  const lensInUse = useLensInUse();
  const lens = useTimelineLens(timeline, lensInUse);
  const { columns, version } = lens;
  const { notes } = useNotes();
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
  const drawn = useCells({ tokens, model, look, hasHalf: lensInUse.hasHalf, columns, version });
  const { layers, metric } = drawn;
  const outline = useOutline({
    timeline,
    lens: lensInUse,
    layers,
    tokenId: look.outlinedToken,
    rank: look.outlinedRank,
  });
  const { ranks, chosen, outlined } = outline;
  // The outlined token is read by itself, and can fail by itself.
  const failed = lens.error === null && ranks.error !== null ? ranks : null;
  const [above, room] = useGridRoom(failed?.error ?? lens.error);
  const { grid, scene } = useScene({ nPositions, look, drawn, outlined, range, room });
  const { cursor, hovered, shown, onHover, onActivate, onChoose } = usePlace({
    grid,
    lastLayer: model.num_layers,
    take,
  });
  const onVisible = useVisible(lens.setVisible, ranks.setVisible);
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
  const onGo = (cell: CellPlace): void => {
    onChoose(cell);
    // The last column predicts no token that could be selected, so nothing else brings it into view.
    gridWindow.moveTo(cell.position);
  };

  const exports = heatmapExports({ tokens, columns, drawn, range, gridWindow, onChangeLook: changeLook });
  if (columns === null || scene === null) {
    return (
      <div className="m-auto max-w-sm text-center">
        <ReadingFrame reading={lens} what="The columns" hasData={false} exports={exports}>
          {null}
        </ReadingFrame>
      </div>
    );
  }
  const words = cellWords({ scene, drawn, columns, outline, notes });
  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <ReadingFrame
        reading={failed ?? lens}
        what={failed === null ? "The columns" : "The ranks of the outlined token"}
        hasData
        exports={exports}
        title={
          <HeatmapFinding
            metric={metric}
            columns={columns}
            version={version}
            nPositions={nPositions}
            onGo={onGo}
          />
        }
        controls={
          <Controls
            look={look}
            drawn={drawn}
            outlines={outline.choices}
            outlined={chosen?.id ?? null}
            onChange={changeLook}
            onFit={() => onFit({ start: 0, end: nPositions })}
          />
        }
        progress={
          <ReadingProgress reading={lens} unit={["position", "positions"]} hatched="columns">
            <RangeControls chosen={chosenRange} isNarrow={look.cellWidth < MIN_TEXT_WIDTH} onFit={onFit} />
          </ReadingProgress>
        }
        detail={
          <>
            {chosen !== null && outlined !== null && (
              <OutlineStatus text={chosen.text} rank={look.outlinedRank} outlined={outlined} ranks={ranks} />
            )}
            <ErrorBoundary>
              <Suspense fallback={<p className="min-h-40 shrink-0 px-3 py-2 text-quiet">Opening…</p>}>
                <CellCard
                  tokens={tokens}
                  position={shown.position}
                  layer={shown.layer}
                  cell={columns.cell(shown.position, shown.layer)}
                  more={words.moreOf(shown)}
                  notes={words.notesOf(shown)}
                />
              </Suspense>
            </ErrorBoundary>
            <HeatmapTable
              isShown={look.hasTable}
              tokens={tokens}
              columns={columns}
              drawn={drawn}
              outline={outline}
              gridWindow={gridWindow}
              range={range}
              active={cursor}
              onChoose={onChoose}
            />
          </>
        }
        caption={
          <Caption hasNotes={notes.length > 0} echoes={lensInUse.kind === "logit" && model.tied_embeddings} />
        }
      >
        <div ref={above} className="flex shrink-0 flex-col">
          <Overview
            picture={scene.picture}
            nPositions={nPositions}
            nRows={layers.length}
            unit="index"
            gridId={gridId}
            gridWindow={gridWindow}
            range={range}
            selectedPosition={scene.selectedPosition}
            theme={theme}
            onZoom={onZoom}
          />
        </div>
        <HeatmapGrid
          id={gridId}
          label={`Layers by tokens, coloured by ${metric.title}`}
          scene={scene}
          textOf={drawn.textOf}
          theme={theme}
          active={cursor}
          activeDescription={words.describe(cursor)}
          hovered={hovered}
          gridWindow={gridWindow}
          onHover={onHover}
          onActivate={onActivate}
          onChoose={onChoose}
          onRange={chosenRange.setRange}
          onClearRange={chosenRange.clear}
          onZoom={onZoom}
          onVisible={onVisible}
          card={({ position, layer }) => (
            <CellTip
              position={position}
              layer={layer}
              cell={columns.cell(position, layer)}
              next={tokens[position + 1] ?? null}
            />
          )}
        />
      </ReadingFrame>
    </div>
  );
}
