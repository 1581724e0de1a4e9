import { Suspense, useMemo } from "react";
import { LensFailure } from "@/features/evidence/LensFailure";
import { JobsButton } from "@/features/jobs/JobsButton";
import type { OtherSide } from "@/features/pair/otherSide";
import { useSelection } from "@/features/selection/selection";
import { useTheme } from "@/features/settings/theme";
import type { Timeline, Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import type { ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useIsNarrow } from "@/ui/media";
import { usePatchChoices } from "./choices";
import { mapRows, scoreUnit } from "./grid";
import { MapControls } from "./MapControls";
import { MapGrid } from "./MapGrid";
import { patchTexts } from "./texts";
import { useMap } from "./useMap";
import { useMapExport } from "./useMapExport";

const MapFinding = lazyPart(() => import("./MapFinding"));
const MetricChoice = lazyPart(() => import("./MetricChoice"));
const PatchedRuns = lazyPart(() => import("./PatchedRuns"));

interface PatchBodyProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  readonly side: OtherSide;
}

/** More would make the page slow; a script can map any length. */
const MAX_CELLS = 6000;

/** Both texts, the map of what carries A's answer over, and the cell that is patched. */
export default function PatchBody({ timeline, model, side }: PatchBodyProps) {
  const { conversationId, tokens } = timeline;
  const [{ direction, answer, foil, job: jobId, cell }, choose] = usePatchChoices(conversationId);
  const theme = useTheme();
  const isNarrow = useIsNarrow();
  const { index } = useSelection();
  const texts = useMemo(
    () =>
      patchTexts(
        { source: { conversation_id: conversationId ?? "" }, tokens },
        { source: side.source, tokens: side.tokens },
        index,
        { answer, foil },
      ),
    [conversationId, tokens, side, index, answer, foil],
  );
  const map = useMap(texts, direction, jobId, (job) => choose({ job }));
  const rows = useMemo(
    () => mapRows(map.job, model.num_layers, texts.pairs.length),
    [map.job, model.num_layers, texts.pairs.length],
  );
  useMapExport({ texts, direction, job: map.job });
  const nCells = rows.length * texts.pairs.length;
  const isSameText = useMemo(
    () =>
      texts.a.tokens.length === texts.b.tokens.length &&
      texts.pairs.every(([a, b]) => texts.a.tokens[a]?.id === texts.b.tokens[b]?.id),
    [texts],
  );
  if (isSameText) {
    return (
      <p role="status" className="m-auto max-w-md p-6 text-center text-muted">
        Up to where they are read, A and B are the same text, so nothing can be carried over. Choose a B with
        another message.
      </p>
    );
  }
  if (nCells > MAX_CELLS) {
    return (
      <p role="status" className="m-auto max-w-md p-6 text-center text-muted">
        These texts have {texts.pairs.length} aligned positions, too many for a map on the page. Shorter ones
        can be mapped here; any length by the API.
      </p>
    );
  }
  const failure = map.job?.error ?? null;
  const read = (
    <div className="shrink-0 px-3 pt-2">
      <p className="pb-1.5">
        {texts.answers === null ? (
          <span className="text-muted">Read at the end of both prompts.</span>
        ) : (
          <>
            Read where A goes on with <TokenName token={texts.answers.answer} /> and B with{" "}
            <TokenName token={texts.answers.foil} />.{" "}
            <span className="text-muted">Select another token of A’s reply to read there.</span>
          </>
        )}
      </p>
      <ErrorBoundary>
        <Suspense fallback={<div className="h-8.5" />}>
          <MetricChoice
            texts={texts}
            job={map.job}
            chosen={{ answer, foil }}
            model={model}
            onChoose={choose}
          />
        </Suspense>
      </ErrorBoundary>
    </div>
  );
  return (
    <>
      {map.job?.state === "done" && (
        <div className="shrink-0 px-3 pt-2">
          <ErrorBoundary>
            <Suspense fallback={<div className="h-5" />}>
              <MapFinding
                texts={texts}
                direction={direction}
                rows={rows}
                onPatch={(next) => choose({ cell: next })}
              />
            </Suspense>
          </ErrorBoundary>
        </div>
      )}
      {!isNarrow && read}
      <div className="shrink-0 px-3 py-2">
        <MapControls
          direction={direction}
          map={map}
          jobs={<JobsButton shownId={map.job?.id ?? null} />}
          nCells={nCells}
          onDirection={(value) => choose({ direction: value, job: null })}
        />
        {map.error !== null && (
          <LensFailure title="The map could not be had." error={map.error} onRetry={map.retry} />
        )}
        {failure !== null && (
          <p role="alert" className="pt-2">
            {failure.message} <span className="text-muted">{failure.hint}</span>
          </p>
        )}
      </div>
      <div className="shrink-0">
        <MapGrid
          texts={texts}
          rows={rows}
          cell={cell}
          theme={theme}
          unit={scoreUnit(direction)}
          onPatch={(next) => choose({ cell: next })}
        />
      </div>
      {cell === null ? (
        <p className="shrink-0 px-3 py-1 text-muted">
          Press a cell to patch it, drag it to another position, or press p on one and on the other. The frame
          shows what a patch there can reach.
        </p>
      ) : (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <PatchedRuns
              texts={texts}
              direction={direction}
              model={model}
              identity={timeline.model}
              cell={cell}
            />
          </Suspense>
        </ErrorBoundary>
      )}
      {/* On a phone the map comes first: it would be below the fold. */}
      {isNarrow && read}
    </>
  );
}

const TokenName = ({ token }: { readonly token: Token }) => (
  <span className="font-mono font-medium">{cellText(token)}</span>
);
