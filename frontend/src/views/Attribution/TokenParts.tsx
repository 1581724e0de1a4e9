import { type ReactNode, Suspense, useMemo } from "react";
import { LensFailure } from "@/features/evidence/LensFailure";
import { NotRead } from "@/features/evidence/NotRead";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { useViewExport } from "@/features/export/useViewExport";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import type { Timeline } from "@/model/timeline";
import { cellPartsOfText } from "@/model/tokens";
import type { ReadState } from "@/reading/readState";
import type { AttributionPart } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { TokenText } from "@/ui/TokenText";
import { AttributionFinding } from "./AttributionFinding";
import { useAttributionChoices } from "./choices";
import { LogitControls } from "./LogitControls";
import { PartGrid } from "./PartGrid";
import { PartName } from "./PartName";
import { partWords } from "./partNames";
import { type PartRow, blockId, attnId, headId, visibleRows } from "./parts";
import { directParts, edgeOf, isAt, placeOf, rowsAround } from "./places";
import { NotSplit } from "./NotSplit";
import { Reason } from "./Reason";
import { SumFoot } from "./SumFoot";
import { useParts } from "./useParts";

const Ablation = lazyPart(() => import("@/features/steering/Ablation"));

interface TokenPartsProps {
  readonly timeline: Timeline;
  /** Where the stream is read; it predicts the token at `position + 1`. */
  readonly position: number;
  readonly controls: ReactNode;
}

/** The parts of one prediction: what is asked, rows with bars, and the sum below them. */
export function TokenParts({ timeline, position, controls }: TokenPartsProps) {
  const { conversationId, tokens } = timeline;
  const [{ target, foil, shown, open: openIds }, choose] = useAttributionChoices(conversationId);
  const { model } = useServer();
  const { place, index, select, selectPlace } = useSelection();
  const open = useMemo(() => new Set([...openIds, ...rowsAround(place)]), [openIds, place]);
  const { reading, answer, tree, details, leader } = useParts(timeline, model, {
    position,
    target,
    foil,
    shown,
    open,
  });
  const rows = visibleRows(tree, open);
  useViewExport(
    answer === null
      ? "The parts of this prediction are not read yet."
      : async () => {
          const { attributionExport } = await import("./viewExport");
          return attributionExport({ tokens, answer, tree, rows });
        },
  );
  const visit = (row: PartRow): void => {
    const wanted = index === null ? null : placeOf(row, index);
    if (wanted !== null) selectPlace(wanted);
  };
  /** The head stays selected, so that it can be followed to that word. */
  const chooseSource = (source: number): void => {
    if (place.kind === "head") selectPlace({ ...place, index: source, second: null });
    else select(source);
  };
  const showHead = ({ block, head }: AttributionPart): void => {
    if (block === null || head === null || index === null) return;
    const ids = [blockId(block), attnId(block), headId(block, head)];
    choose({ open: [...openIds.filter((id) => !ids.includes(id)), ...ids] });
    selectPlace({ kind: "head", index, block, head, second: null });
  };
  const below = (row: PartRow): ReactNode => {
    const detail = details.get(row.id);
    if (row.children === null && detail !== undefined) return <Unread reading={detail} row={row} />;
    return answer === null ? null : <Reason row={row} difference={answer.difference} tokens={tokens} />;
  };
  return (
    <>
      {answer !== null && (
        <AttributionFinding answer={answer} leader={leader} tokens={tokens} onShow={showHead} />
      )}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
        {controls}
        <LogitControls
          answer={answer}
          following={tokens[position + 1]}
          modelName={model?.model_name ?? ""}
          target={target}
          foil={foil}
          shown={shown}
          choose={choose}
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto max-md:overflow-visible">
        <ReadingFrame reading={reading} what="The parts of this prediction" hasData={answer !== null}>
          {answer === null ? (
            <p role="status" className="p-3 text-muted">
              Taking the prediction apart…
            </p>
          ) : (
            <PartGrid
              label={`Parts of the logit, read at index ${position}`}
              rows={rows}
              open={open}
              currentId={rows.find((row) => isAt(row, place))?.id ?? null}
              target={<TokenText parts={cellPartsOfText(answer.target.text)} />}
              foil={
                answer.foil !== null ? (
                  <TokenText parts={cellPartsOfText(answer.foil.text)} />
                ) : answer.foil_kind === "mean" ? (
                  "mean"
                ) : null
              }
              total={answer.difference}
              nameOf={(row) => <PartName row={row} tokens={tokens} />}
              wordsOf={(row) => partWords(row, tokens)}
              belowOf={below}
              onOpen={(row, isOpen) =>
                choose({ open: isOpen ? [...openIds, row.id] : openIds.filter((id) => id !== row.id) })
              }
              onVisit={visit}
              onChooseSource={chooseSource}
            />
          )}
          {answer !== null && model !== null && <NotSplit capabilities={model.capabilities} />}
        </ReadingFrame>
      </div>
      {answer !== null && model !== null && (place.kind === "head" || place.kind === "block") && (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <Ablation
              key={JSON.stringify([position, place.block, answer.target, answer.foil])}
              timeline={timeline}
              model={model}
              position={position}
              block={place.block}
              head={place.kind === "head" ? place.head : null}
              targetId={answer.target.token_id}
              foilId={answer.foil?.token_id ?? null}
              edges={place.kind === "head" && place.second !== null ? [edgeOf(tree, tokens, place)] : []}
              direct={directParts(tree, place.block, place.kind === "head" ? place.head : null)}
            />
          </Suspense>
        </ErrorBoundary>
      )}
      {answer !== null && <SumFoot answer={answer} />}
    </>
  );
}

/** Stands below an open row while its parts are not there. */
function Unread({ reading, row }: { readonly reading: ReadState; readonly row: PartRow }) {
  const what = row.opening?.unit === "neuron" ? "The neurons of this MLP" : "The words that it read";
  const { status, error, retry } = reading;
  if (status === "failed" && error !== null) {
    return <LensFailure title={`${what} could not be read.`} error={error} onRetry={retry} />;
  }
  return (
    <span role="status">{status === "loading" ? "Reading…" : <NotRead status={status} what={what} />}</span>
  );
}
