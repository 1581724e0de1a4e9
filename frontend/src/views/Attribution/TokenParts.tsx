import { type ReactNode, useMemo } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import type { Place } from "@/model/place";
import type { Timeline } from "@/model/timeline";
import { cellPartsOfText } from "@/model/tokens";
import { type AttributionQuestion, useAttributions } from "@/reading/attribution";
import type { AttributionResponse } from "@/types/schemas";
import { TokenText } from "@/ui/TokenText";
import { useAttributionChoices } from "./choices";
import { PartGrid } from "./PartGrid";
import { PartName } from "./PartName";
import { type PartRow, partTree, visibleRows } from "./parts";
import { SumFoot } from "./SumFoot";

interface TokenPartsProps {
  readonly timeline: Timeline;
  /** Where the stream is read; it predicts the token at `position + 1`. */
  readonly position: number;
  readonly controls: ReactNode;
}

const NO_DETAILS: ReadonlyMap<string, AttributionResponse> = new Map();

/** The parts of one prediction: rows with bars, and the sum below them. */
export function TokenParts({ timeline, position, controls }: TokenPartsProps) {
  const { conversationId, tokens } = timeline;
  const [{ target, foil, shown, open }, choose] = useAttributionChoices(conversationId);
  const { model } = useServer();
  const { place, index, select, selectPlace } = useSelection();
  const question: AttributionQuestion = {
    position,
    target,
    foil,
    unit: model?.capabilities.heads.available === false ? "component" : "head",
  };
  const [whole] = useAttributions(timeline, model === null ? [] : [question]);
  const answer = whole?.data ?? null;
  const isOpen = useMemo(() => new Set(open), [open]);
  const tree = useMemo(
    () => (answer === null ? [] : partTree(answer, NO_DETAILS, { sources: false, neurons: false }, shown)),
    [answer, shown],
  );
  const rows = visibleRows(tree, isOpen);
  const visit = (row: PartRow): void => {
    const wanted = index === null ? null : placeOf(row, index);
    if (wanted !== null) selectPlace(wanted);
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
        {controls}
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto max-md:overflow-visible">
        <ReadingFrame
          reading={whole ?? AWAITED}
          what="The parts of this prediction"
          hasData={answer !== null}
        >
          {answer === null ? (
            <p role="status" className="p-3 text-muted">
              Taking the prediction apart…
            </p>
          ) : (
            <PartGrid
              label={`Parts of the logit, read at index ${position}`}
              rows={rows}
              open={isOpen}
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
              belowOf={() => null}
              onOpen={(row, opens) =>
                choose({ open: opens ? [...open, row.id] : open.filter((id) => id !== row.id) })
              }
              onVisit={visit}
              onChooseSource={(source) => select(source)}
            />
          )}
        </ReadingFrame>
      </div>
      {answer !== null && <SumFoot answer={answer} />}
    </>
  );
}

/** Before the model is known there is nothing to ask. */
const AWAITED = { status: "awaited", error: null, retry: () => undefined } as const;

/** The place in the model that the row is about; null for one that is in no block. */
function placeOf({ block, head, source }: PartRow, index: number): Place | null {
  if (block === null) return null;
  return head === null
    ? { kind: "block", index, block }
    : { kind: "head", index, block, head, second: source };
}

function isAt({ kind, block, head, source }: PartRow, place: Place): boolean {
  if (place.kind === "block") return kind === "block" && block === place.block;
  return (
    place.kind === "head" &&
    block === place.block &&
    head === place.head &&
    source === place.second &&
    kind !== "rest"
  );
}
