import { type ReactNode, useState } from "react";
import { type Direction, DIRECTIONS } from "@/features/evidence/direction";
import { FirstToken } from "@/features/evidence/FirstToken";
import { LensFailure } from "@/features/evidence/LensFailure";
import { NotRead } from "@/features/evidence/NotRead";
import { ReadAt } from "@/features/evidence/ReadAt";
import { useViewExport } from "@/features/export/useViewExport";
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
import { NumbersTable } from "./NumbersTable";
import { PinnedPositions } from "./PinnedPositions";
import { ReadOut } from "./ReadOut";
import { lineLabel } from "./series";
import { Suggestions } from "./Suggestions";
import { RiseNote } from "./RiseNote";
import { TrajectoryChart } from "./TrajectoryChart";
import { useLines } from "./useLines";

/** Predictions of each layer that come with a token of a reply. */
const TOP_STREAMED = 5;

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
  const { series, positions, actual, suggested, isDefault, ghost, status, error } = lines;
  const position = positions[0].position;

  const { hasHalf } = useLensInUse();
  const layers =
    series.find((each) => each.curve !== null)?.curve?.layers ?? everyLayer(model?.num_layers ?? -1, hasHalf);
  const layer = shownLayer(layers, hovered ?? selectedLayer);

  const nPartial = series.filter((each) => each.curve?.isPartial).length;
  const nFull = series.filter((each) => each.curve !== null).length - nPartial;
  const isActualMissing = !series.some((each) => each.isActual && each.place.slot === 0);
  const unit = metricUnit(metric);
  useViewExport(
    series.every((each) => each.curve === null)
      ? "No line is read yet."
      : series.some((each) => each.curve?.isPartial)
        ? "The lines are read in full when generation finishes."
        : async () => {
            const { trajectoriesExport } = await import("./viewExport");
            return trajectoriesExport({ tokens: timeline.tokens, series, layers, metric, position });
          },
    TRAJECTORY_METRICS.map(({ value, label }) => ({
      label: `Draw the trajectories as ${label}`,
      run: () => choose({ metric: value }),
    })),
  );
  const state = (
    <>
      <p role="status">
        {status === "loading" && "Reading…"}
        {status === "cancelled" && "Reading was stopped; what is missing is not drawn."}
        {status === "deferred" && nFull > 0 ? (
          <>
            Generating: {nFull} of {series.length} {series.length === 1 ? "line" : "lines"} in full
            {nPartial > 0 && `, ${nPartial} where the token is in the top ${TOP_STREAMED}`}.
          </>
        ) : (
          <NotRead status={status} what="The missing lines" />
        )}
      </p>
      {lines.isReading && (
        <Button size="small" onClick={lines.cancel}>
          Stop reading
        </Button>
      )}
      {status === "cancelled" && (
        <Button size="small" onClick={lines.retry}>
          Read on
        </Button>
      )}
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
          {unit}
        </p>
      )}
    </>
  );
  const hasLines = layers.length > 0 && (status !== "failed" || !isDefault);
  return (
    <>
      <RiseNote layers={lines.layers} actual={actual} />
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
          {MAX_PINNED_TOKENS} tokens are pinned, as many as there are colours for. Unpin one to pin another.
        </p>
      )}
      {status === "failed" && error !== null && (
        <div className="px-3 py-2">
          <LensFailure title="The trajectories could not be read." error={error} onRetry={lines.retry} />
        </div>
      )}
      {(!hasLines || table) && (
        <div className="flex min-h-control flex-wrap items-center gap-3 px-3 text-muted">{state}</div>
      )}
      {hasLines && table && (
        <NumbersTable
          series={series}
          layers={layers}
          metric={metric}
          selectedLayer={selectedLayer}
          onSelectLayer={(chosen) => select(index, chosen)}
        />
      )}
      {hasLines && !table && (
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
            onSelectLayer={(chosen) => select(index, chosen)}
          >
            {state}
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
          <div className="flex flex-wrap gap-x-4 px-3">
            <Switch
              label="Always show the actual token"
              checked={hasActual}
              onChange={(value) => choose({ actual: value })}
            />
          </div>
        </>
      )}
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
