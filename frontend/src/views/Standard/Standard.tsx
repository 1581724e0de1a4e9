import { Suspense } from "react";
import { DIRECTIONS } from "@/features/evidence/direction";
import { FirstToken } from "@/features/evidence/FirstToken";
import { NothingSelected } from "@/features/evidence/NothingSelected";
import { ReadAt } from "@/features/evidence/ReadAt";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { ViewProps } from "@/features/evidence/view";
import { useViewExport } from "@/features/export/useViewExport";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import { useLensInUse } from "@/features/settings/lensKind";
import { everyLayer } from "@/model/layers";
import type { Timeline } from "@/model/timeline";
import { cellParts, losslessTextOf } from "@/model/tokens";
import { useTokenLens } from "@/reading/lens";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useIsCoarse } from "@/ui/media";
import { Segmented } from "@/ui/Segmented";
import { ToggleButton } from "@/ui/ToggleButton";
import { useStandardChoices } from "./choices";
import { DecisionNote } from "./DecisionNote";
import { LayerTable } from "./LayerTable";
import { rowLayout } from "./rowLayout";
import { TopKInput } from "./TopKInput";
import { useRoom } from "./useRoom";

/** Fetched when a layer is selected. */
const LayerDetail = lazyPart(() => import("./LayerDetail"));

/** rem of the head of the table, with its border. */
const TABLE_HEAD = 2;
/** Rows that the details leave in view, however low the window is. */
const MIN_ROWS = 6;

export { note } from "./note";

/** How the selected token was predicted, layer by layer. */
export default function Standard({ timeline }: ViewProps) {
  const { index } = useSelection();
  if (index === null || index >= timeline.tokens.length) {
    return <NothingSelected timeline={timeline} shows="how its prediction formed, layer by layer" />;
  }
  return <TokenLayers timeline={timeline} index={index} />;
}

function TokenLayers({ timeline, index }: { readonly timeline: Timeline; readonly index: number }) {
  const [{ direction, topK, fit, details, shown }, choose] = useStandardChoices();
  const { layer: selectedLayer, select } = useSelection();
  const { model } = useServer();
  const lensInUse = useLensInUse();
  const { kind, hasHalf } = lensInUse;
  const lens = useTokenLens(timeline, index, topK, lensInUse);
  const [body, room] = useRoom<HTMLDivElement>();
  const isCoarse = useIsCoarse();

  const isFirst = direction === "predictedBy" && index === 0;
  const position = direction === "predictedBy" ? index - 1 : index;
  const reading = lens[direction];
  const actual = timeline.tokens[position + 1] ?? null;
  const detail = reading?.layers.find((each) => each.layer === selectedLayer);
  useViewExport(
    reading === null || model === null
      ? "The layers of this token are not read yet."
      : async () => {
          const { standardExport } = await import("./viewExport");
          return standardExport({ tokens: timeline.tokens, reading, vocabularySize: model.vocab_size });
        },
  );

  const layers = reading?.layers.map(({ layer }) => layer) ?? everyLayer(model?.num_layers ?? -1, hasHalf);
  const nLayers = layers.length;
  const height = fit && room.height !== null ? room.height - TABLE_HEAD * room.rem : null;
  const layout = rowLayout({ ...room, height, isCoarse }, nLayers, topK);
  // The rows keep their height when the details open, and at least these are left of them.
  const leastTable = TABLE_HEAD * room.rem + Math.min(MIN_ROWS, nLayers) * layout.rowHeight;

  return (
    <div className="@container flex min-h-0 flex-1 flex-col bg-raised max-md:block max-md:overflow-y-auto">
      {reading !== null && <DecisionNote layers={reading.layers} actual={actual} />}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
        <Segmented
          label="Direction"
          value={direction}
          options={DIRECTIONS}
          onChange={(value) => choose({ direction: value })}
        />
        <TopKInput value={topK} onChange={(value) => choose({ topK: value })} />
        <span className="ml-auto flex gap-1">
          {!isCoarse && (
            <ToggleButton
              label="Fit"
              title="Make the rows as low as it takes to show every layer"
              isOn={fit}
              onChange={(value) => choose({ fit: value })}
              className="max-md:hidden"
            />
          )}
          <ToggleButton
            label="Details"
            title="Show the selected layer in full below the rows: its predictions, or what its block wrote"
            isOn={details}
            onChange={(value) => choose({ details: value })}
            // On a narrow screen the details' own button closes them.
            className="max-md:aria-pressed:hidden"
          />
        </span>
      </div>
      <div ref={body} className="flex min-h-0 flex-1 flex-col max-md:block">
        {isFirst ? (
          <FirstToken timeline={timeline} onShowNext={() => choose({ direction: "predicts" })} />
        ) : (
          <div
            className="min-h-0 flex-1 overflow-y-auto max-md:overflow-visible"
            style={{ minHeight: leastTable }}
          >
            <ReadingFrame reading={lens} what="The layers of this token" hasData={reading !== null}>
              <LayerTable
                caption={`Predictions of each layer, read at index ${position}`}
                layers={reading?.layers ?? null}
                rows={layers}
                topK={topK}
                layout={layout}
                actual={actual === null ? null : { id: actual.id, parts: cellParts(actual) }}
                vocabularySize={model?.vocab_size ?? null}
                selectedLayer={selectedLayer}
                onSelectLayer={(layer) => select(index, layer)}
              />
            </ReadingFrame>
            {reading !== null && <EmbedNote echoes={kind === "logit" && (model?.tied_embeddings ?? false)} />}
          </div>
        )}
        {details && detail !== undefined && (
          <ErrorBoundary>
            <Suspense fallback={null}>
              <LayerDetail
                timeline={timeline}
                reading={detail}
                position={position}
                actual={actual === null ? null : { id: actual.id, text: losslessTextOf(actual) }}
                shown={shown}
                onShow={(value) => choose({ shown: value })}
                onClose={() => choose({ details: false })}
              />
            </Suspense>
          </ErrorBoundary>
        )}
      </div>
      {!isFirst && (
        <p className="shrink-0 truncate border-t border-line px-3 py-0.5 text-label text-muted">
          <ReadAt tokens={timeline.tokens} position={position} />
        </p>
      )}
    </div>
  );
}

/** Why the lowest row is no prediction yet. */
function EmbedNote({ echoes }: { readonly echoes: boolean }) {
  return (
    <p className="px-3 py-2 text-label text-muted">
      Layer 0 (embedding) is the residual stream before the first block
      {echoes
        ? "; it tends to echo the token it is read at, because this model shares its input and output embeddings."
        : "."}
    </p>
  );
}
