import { useMemo } from "react";
import { WindowTable } from "@/charts/heatmap/WindowTable";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { OtherSide } from "@/features/pair/otherSide";
import type { BKind } from "@/features/pair/pair";
import { repeatsChange } from "@/features/pair/repeats";
import { useSettings } from "@/features/settings/settings";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import type { LensKind } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import type { CompareState } from "./choices";
import { compareExports } from "./compareExports";
import { ComparedGrid } from "./ComparedGrid";
import { ComparedProgress } from "./ComparedProgress";
import { openingColumn } from "./openingColumn";
import { pairOf } from "./pairColumns";
import { PairDetail } from "./PairDetail";
import { pairTable } from "./pairTable";
import { PartingNote } from "./PartingNote";
import { partingOfReplies } from "@/model/replies";
import { RepliesPart } from "./RepliesPart";
import { useComparedTimelines } from "./useComparedTimelines";
import { useCursor } from "./useCursor";
import { useDifferences } from "./useDifferences";

interface AlignedTimelinesProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  readonly state: CompareState;
  readonly side: OtherSide;
  readonly kind: BKind;
  /** Null is the lens of A. */
  readonly lensOfB: LensKind | null;
  readonly onChangeLens: (lensB: LensKind | null) => void;
}

const ignoreEscape = (): void => undefined;

/** Two timelines of known ids side by side: the finding, the grid of their differences, and one pair in full. */
export default function AlignedTimelines(props: AlignedTimelinesProps) {
  const { timeline, model, state, side, kind, lensOfB, onChangeLens } = props;
  const { tokens, conversationId } = timeline;
  const { choices } = state;
  const { settings } = useSettings();
  const both = useComparedTimelines({ timeline, model, choices, side, kind, lensOfB });
  const { alignment, rowLayers, layers, pairs, target, drawn, difference } = both;
  const isRepeat = useMemo(
    () => repeatsChange(alignment, tokens, side.tokens),
    [alignment, tokens, side.tokens],
  );
  const opening =
    drawn === null
      ? -1
      : openingColumn({
          alignment,
          pairs: drawn.compared.pairs,
          row: rowLayers.length - 1,
          a: tokens,
          isRepeat,
        });
  const cursor = useCursor({ alignment, opening, layers: rowLayers, nTokens: tokens.length });
  const differences = useDifferences(both, cursor, opening);
  useShortcuts(
    { ".": () => differences.step(1), ",": () => differences.step(-1) },
    ignoreEscape,
    settings.shortcuts,
  );
  // After a forced reply both sides have the same one.
  const hasOwnReply = kind === "branch" || kind === "saved";
  const parting = useMemo(
    () => (hasOwnReply ? partingOfReplies(tokens, side.tokens) : null),
    [hasOwnReply, tokens, side.tokens],
  );
  // The token before predicts it; the two may be aligned otherwise there.
  const partingColumn = alignment.columns.findIndex(
    ({ a, b }) => parting !== null && a === parting.a - 1 && b === parting.b - 1,
  );

  const exports = compareExports({ both, state, differences });
  if (drawn === null) {
    return (
      <ReadingFrame reading={pairs} what="The two timelines" hasData={false} exports={exports}>
        {null}
      </ReadingFrame>
    );
  }
  const { compared, cells } = drawn;
  const column = alignment.columns[cursor.place.position] ?? null;
  const pair = column === null ? null : pairOf(column);
  const row = rowLayers.indexOf(cursor.place.layer);
  const shownA = {
    tokens,
    source: { conversation_id: conversationId ?? "" },
    model: timeline.model,
    kind: both.lensA,
    hasHalf: both.hasHalf,
  };
  const shownB = { ...side, kind: both.lensB, hasHalf: both.hasHalf };
  return (
    <ReadingFrame
      // The chosen token is read besides, and can fail by itself.
      reading={pairs.error === null && target.error !== null ? target : pairs}
      what="The two timelines"
      hasData
      exports={exports}
      title={
        <div className="shrink-0 px-3 pt-1.5">
          {pair === null ? (
            <p className="min-h-5 text-muted">
              {column !== null &&
                `${column.a === null ? "B’s" : "A’s"} token is unaligned here, so nothing is compared.`}
            </p>
          ) : (
            <PartingNote
              pair={pair}
              rows={both.rows}
              layers={layers}
              choices={layers.map((_, each) => compared.pairs.firstChoices(pair, each))}
              plainText={(id) => compared.pairs.text(id)}
            />
          )}
        </div>
      }
      progress={
        <ComparedProgress
          pairs={pairs}
          target={both.isOfToken && choices.tokenId !== null ? target : null}
          alignment={alignment}
          cells={cells}
          layer={cursor.place.layer}
          layerLabel={both.layerLabels[cursor.place.layer] ?? ""}
          onGo={differences.step}
        />
      }
      detail={
        <>
          {parting !== null && (
            <RepliesPart
              at={parting}
              a={shownA}
              b={shownB}
              isSettled={both.isSettled}
              onGo={
                partingColumn === -1
                  ? null
                  : () => differences.goTo({ position: partingColumn, layer: rowLayers.at(-1) ?? 0 })
              }
            />
          )}
          <PairDetail
            column={column}
            row={row}
            layers={layers}
            compared={compared}
            difference={difference}
            isSettled={both.isSettled}
            a={shownA}
            b={shownB}
          />
          {choices.hasTable && (
            <WindowTable
              gridWindow={differences.gridWindow}
              nPositions={alignment.columns.length}
              range={null}
              contents={pairTable({
                alignment,
                compared,
                a: tokens,
                b: side.tokens,
                rowOf: (layer) => rowLayers.indexOf(layer),
              })}
              layers={rowLayers}
              layerLabels={both.layerLabels}
              active={cursor.place}
              onChoose={cursor.choose}
            />
          )}
        </>
      }
    >
      <ComparedGrid
        both={both}
        drawn={drawn}
        cursor={cursor}
        gridWindow={differences.gridWindow}
        model={model}
        state={state}
        pair={pair}
        onChangeLens={onChangeLens}
      />
    </ReadingFrame>
  );
}
