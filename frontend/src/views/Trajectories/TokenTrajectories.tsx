import { type ReactNode, useState } from "react";
import { type Direction, DIRECTIONS } from "@/features/evidence/direction";
import { FirstToken } from "@/features/evidence/FirstToken";
import { ReadAt } from "@/features/evidence/ReadAt";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { MAX_PINNED_TOKENS, type PinnedToken, isPinned } from "@/features/pins/pins";
import { usePins } from "@/features/pins/pinsContext";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import { TokenSearch } from "@/features/tokenSearch/TokenSearch";
import { useLensInUse } from "@/features/settings/lensKind";
import { everyLayer, layerName, shownLayer } from "@/model/layers";
import type { Timeline } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { Segmented } from "@/ui/Segmented";
import { Switch } from "@/ui/Switch";
import { ToggleButton } from "@/ui/ToggleButton";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import { useTrajectoryChoices } from "./choices";
import { TRAJECTORY_METRICS, formatReading, metricUnit, readingAt } from "./curveMetrics";
import { LinesProgress } from "./LinesProgress";
import { NumbersTable } from "./NumbersTable";
import { PinnedPositions } from "./PinnedPositions";
import { ReadOut } from "./ReadOut";
import { lineLabel } from "./series";
import { Suggestions } from "./Suggestions";
import { RiseNote } from "./RiseNote";
import { TrajectoryChart } from "./TrajectoryChart";
import { trajectoriesExports } from "./trajectoriesExports";
import { useLines } from "./useLines";

interface TokenTrajectoriesProps {
  readonly timeline: Timeline;
  readonly index: number;
}

/** The lines at the selected position and at the pinned ones. */
export function TokenTrajectories({ timeline, index }: TokenTrajectoriesProps) {
  const [{ direction }, choose] = useTrajectoryChoices();
  const isFirst = direction === "predictedBy" && index === 0;
  const directions = (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
      <Segmented
        label="Direction"
        value={direction}
        options={DIRECTIONS}
        onChange={(value) => choose({ direction: value })}
      />
      {!isFirst && (
        <p className="min-w-0 flex-1 truncate text-label text-muted">
          <ReadAt tokens={timeline.tokens} position={direction === "predictedBy" ? index - 1 : index} />
        </p>
      )}
    </div>
  );
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      {isFirst ? (
        <>
          {directions}
          <FirstToken timeline={timeline} onShowNext={() => choose({ direction: "predicts" })} />
        </>
      ) : (
        <Lines timeline={timeline} index={index} direction={direction}>
          {directions}
        </Lines>
      )}
    </div>
  );
}

interface LinesProps extends TokenTrajectoriesProps {
  readonly direction: Direction;
  /** Stands below the finding. */
  readonly children: ReactNode;
}

function Lines({ timeline, index, direction, children }: LinesProps) {
  const { layer: selectedLayer, select } = useSelection();
  const { pins: pinned, isFull, pin, clear } = usePins();
  const { model } = useServer();
  const [{ metric, actual: hasActual, table }, choose] = useTrajectoryChoices();
  const [hovered, setHovered] = useState<number | null>(null);
  const [preview, setPreview] = useState<PinnedToken | null>(null);
  const lines = useLines({ timeline, index, direction, hasActual, preview });
  const { series, positions, actual, suggested, isDefault, ghost, status } = lines;

  const { hasHalf } = useLensInUse();
  const layers =
    series.find((each) => each.curve !== null)?.curve?.layers ?? everyLayer(model?.num_layers ?? -1, hasHalf);
  const layer = shownLayer(layers, hovered ?? selectedLayer);

  const isActualMissing = !series.some((each) => each.isActual && each.place.slot === 0);
  const remarks = (
    <>
      {status === "done" && actual !== null && isActualMissing && (
        <>
          <p>
            <QuotedToken token={actual} />, the actual token, is not among the lines.
          </p>
          <Button size="small" onClick={() => choose({ actual: true })}>
            Show it
          </Button>
        </>
      )}
      {ghost?.curve && (
        <p className="ml-auto text-label">
          preview <QuotedText text={ghost.token.text ?? ghost.curve.text} />, {layerName(layer)}:{" "}
          <span className="font-mono text-ink">{formatReading(readingAt(ghost.curve, layer), metric)}</span>{" "}
          {metricUnit(metric)}
        </p>
      )}
    </>
  );
  const selectLayer = (chosen: number): void => select(index, chosen);
  return (
    <>
      <ReadingFrame
        reading={lines}
        what="The trajectories"
        hasData={layers.length > 0 && (status !== "failed" || !isDefault)}
        exports={trajectoriesExports({
          tokens: timeline.tokens,
          lines,
          layers,
          metric,
          onChangeMetric: (value) => choose({ metric: value }),
        })}
        title={<RiseNote layers={lines.layers} actual={actual} />}
        controls={
          <>
            {children}
            <div className="flex flex-wrap items-end gap-x-3 gap-y-2 px-3 pt-2 pb-1">
              <Segmented
                label="Metric"
                value={metric}
                options={TRAJECTORY_METRICS}
                onChange={(value) => choose({ metric: value })}
              />
              <TokenSearch
                modelName={model?.model_name ?? ""}
                label="Pin a token of the vocabulary"
                verb="pins"
                isTaken={(id) => isPinned(pinned, id)}
                takenAs="pinned"
                isFull={isFull}
                onChoose={(token) => pin([token])}
                onPreview={setPreview}
                className="@min-[40rem]:max-w-80"
              />
              <ToggleButton
                label="Table"
                icon="table"
                title="Every layer as numbers, in place of the chart"
                isOn={table}
                onChange={(value) => choose({ table: value })}
              />
              {(!isDefault || positions.length > 1) && (
                <Button look="quiet" className="px-2" onClick={clear}>
                  Unpin all
                </Button>
              )}
            </div>
            {isFull && (
              <p role="status" className="px-3 text-label text-warn">
                {MAX_PINNED_TOKENS} tokens are pinned, as many as there are colours for. Unpin one to pin
                another.
              </p>
            )}
          </>
        }
        progress={
          <div className="flex min-h-control flex-wrap items-center gap-x-3 px-3 text-muted">
            {!table && (
              <Switch
                label="Always show the actual token"
                checked={hasActual}
                onChange={(value) => choose({ actual: value })}
              />
            )}
            <LinesProgress lines={lines} />
          </div>
        }
      >
        {table ? (
          <>
            <div className="flex flex-wrap items-center gap-3 px-3 text-muted">{remarks}</div>
            <NumbersTable
              series={series}
              layers={layers}
              metric={metric}
              selectedLayer={selectedLayer}
              onSelectLayer={selectLayer}
            />
          </>
        ) : (
          <>
            <TrajectoryChart
              series={series}
              seriesOfB={lines.pair?.series ?? []}
              rivals={lines.rivals.flatMap(({ token, curve }) =>
                curve === null ? [] : [{ name: lineLabel([token]), curve }],
              )}
              preview={ghost?.curve ? { name: lineLabel([ghost.token]), curve: ghost.curve } : null}
              layers={layers}
              metric={metric}
              selectedLayer={selectedLayer}
              hoveredLayer={hovered}
              isBusy={status === "loading"}
              onHoverLayer={setHovered}
              onSelectLayer={selectLayer}
            >
              {remarks}
            </TrajectoryChart>
            {lines.pair !== null && (
              <p className="px-3 text-label text-muted">
                Solid: A. Dashed: B, <span className="text-ink">{lines.pair.name}</span>,{" "}
                {lines.pair.position === null ? (
                  "where this token is unaligned"
                ) : (
                  <ReadAt tokens={lines.pair.tokens} position={lines.pair.position} />
                )}
                .
              </p>
            )}
            <ReadOut series={series} layer={layer} isHovered={hovered !== null} isDefault={isDefault} />
          </>
        )}
      </ReadingFrame>
      <PinnedPositions timeline={timeline} positions={positions} />
      <Suggestions
        tokens={suggested}
        beginsWithActual={lines.suggestsActual}
        actualId={actual?.id ?? null}
        isDefault={isDefault}
        onPreview={setPreview}
      />
    </>
  );
}
