import { useEffect, useMemo, useRef, useState } from "react";
import type { CellPlace } from "@/charts/heatmap/geometry";
import { GridWindow } from "@/charts/heatmap/GridWindow";
import { WindowTable } from "@/charts/heatmap/WindowTable";
import { LensFailure } from "@/features/evidence/LensFailure";
import { useViewExport } from "@/features/export/useViewExport";
import { useSettings } from "@/features/settings/settings";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import type { CompareState, OtherKind } from "./choices";
import { ComparedProgress } from "./ComparedProgress";
import { describePair } from "./describePair";
import { DifferenceGrid } from "./DifferenceGrid";
import { DIFFERENCES } from "./differences";
import type { OtherSide, SideSource } from "./otherSide";
import { nextDifference } from "./pairCells";
import { pairOf } from "./pairColumns";
import { PairDetail } from "./PairDetail";
import { pairTable } from "./pairTable";
import { partingOfReplies } from "./replies";
import { RepliesPart } from "./RepliesPart";
import { TargetChoice } from "./TargetChoice";
import { Toolbar } from "./Toolbar";
import { useComparedTimelines } from "./useComparedTimelines";
import { useCursor } from "./useCursor";

interface AlignedTimelinesProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  readonly state: CompareState;
  readonly side: OtherSide;
  readonly kind: OtherKind;
}

const ignoreEscape = (): void => undefined;

/** Two timelines of known ids beside each other: the grid of their differences, and one pair in full. */
export function AlignedTimelines({ timeline, model, state, side, kind }: AlignedTimelinesProps) {
  const { tokens, conversationId } = timeline;
  const { choices, change } = state;
  const { settings } = useSettings();
  const both = useComparedTimelines({ timeline, model, choices, side, kind });
  const { alignment, rows, layers, rowLayers, layerLabels, lensA, lensB, difference, isOfToken } = both;
  const { isSettled, pairs, target, textsA, textsB, textOf, drawn, onVisible } = both;
  const { columns } = alignment;
  const cursor = useCursor({
    alignment,
    cells: drawn?.cells ?? null,
    layers: rowLayers,
    nTokens: tokens.length,
  });
  const [gridWindow] = useState(() => new GridWindow());
  // With nothing selected the grid begins where the two part; what is alike before it tells little.
  const firstDifference = columns.findIndex((column) => !column.isSame);
  const start = useRef(firstDifference);
  useEffect(() => {
    start.current = cursor.selectedColumn === null ? firstDifference : -1;
  });
  useEffect(() => {
    if (start.current > 0) gridWindow.moveTo(start.current - 1);
  }, [gridWindow, side.source]);
  const goTo = (place: CellPlace): void => {
    cursor.choose(place);
    const { start, end } = gridWindow.get();
    if (place.position < start || place.position + 1 > end) gridWindow.moveTo(place.position - 1);
  };
  // Opens on the answer: the inputs differ where a word was changed, which everyone knows.
  const opened = useRef<SideSource | null>(null);
  const opening = useRef<() => void>(() => undefined);
  useEffect(() => {
    opening.current = () => {
      if (cursor.selectedColumn === null && cursor.parting >= 0) {
        goTo({ position: cursor.parting, layer: rowLayers.at(-1) ?? 0 });
      }
    };
  });
  const isRead = pairs.status === "done";
  useEffect(() => {
    if (!isRead || opened.current === side.source) return;
    opened.current = side.source;
    opening.current();
  }, [isRead, side.source]);
  const goToDifference = (step: 1 | -1): void => {
    const { position, layer } = cursor.place;
    const next = drawn === null ? null : nextDifference(drawn.cells, position, layer, step);
    if (next !== null) goTo({ position: next, layer });
  };
  // With A's own reply after another prompt there is one reply only.
  const isOwnReply = kind === "branch" || kind === "saved";
  const repliesPart = useMemo(
    () => (isOwnReply ? partingOfReplies(tokens, side.tokens) : null),
    [isOwnReply, tokens, side.tokens],
  );
  // What is read at the token before predicts it; the two may be aligned otherwise there.
  const partingColumn = alignment.columns.findIndex(
    ({ a, b }) => repliesPart !== null && a === repliesPart.a - 1 && b === repliesPart.b - 1,
  );
  useShortcuts(
    { ".": () => goToDifference(1), ",": () => goToDifference(-1) },
    ignoreEscape,
    settings.shortcuts,
  );
  useViewExport(
    drawn === null || pairs.read === 0
      ? "The two are not compared yet."
      : async () => {
          const { compareExport } = await import("./viewExport");
          return compareExport({
            a: tokens,
            b: side.tokens,
            otherConversationId: "conversation_id" in side.source ? side.source.conversation_id : null,
            lensB,
            alignment,
            compared: drawn.compared,
            difference,
            scale: drawn.scale,
            layers,
            layerLabels,
            textOf,
            cellWidth: state.cellWidth,
          });
        },
    [
      ...DIFFERENCES.map(({ id, name }) => ({
        label: `Compare by ${name}`,
        run: () => change({ difference: id }),
      })),
      ...(difference.id === "kl_a_to_b" || difference.id === "kl_b_to_a"
        ? [
            {
              label: "Swap the direction of KL",
              run: () => change({ difference: difference.id === "kl_a_to_b" ? "kl_b_to_a" : "kl_a_to_b" }),
            },
          ]
        : []),
      { label: "Go to the next difference", run: () => goToDifference(1) },
      { label: "Go to the difference before", run: () => goToDifference(-1) },
    ],
  );

  if (drawn === null) return null;
  const { compared, cells, scale } = drawn;
  const column = columns[cursor.place.position] ?? null;
  const describe = ({ position, layer }: CellPlace): string =>
    describePair(
      {
        column: columns[position] ?? { a: null, b: null, isSame: true },
        row: rowLayers.indexOf(layer),
        rowLabel: layerLabels[layer] ?? "",
        textsA,
        textsB,
        textOf,
        difference,
      },
      compared,
    );
  const failed = pairs.error === null ? target : pairs;
  const pair = column === null ? null : pairOf(column);
  const shownA = {
    tokens,
    source: { conversation_id: conversationId ?? "" },
    model: timeline.model,
    kind: lensA,
  };
  const shownB = { ...side, kind: lensB };
  return (
    <>
      {failed.error !== null && (
        <div className="px-3 pt-2">
          <LensFailure
            title="The two could not be compared in full."
            error={failed.error}
            onRetry={failed.retry}
          />
        </div>
      )}
      <DifferenceGrid
        alignment={alignment}
        cells={cells}
        difference={difference}
        scale={scale}
        layers={rowLayers}
        layerLabels={layerLabels}
        textsA={textsA}
        textsB={textsB}
        textOf={textOf}
        cursor={cursor}
        describe={describe}
        gridWindow={gridWindow}
        cellWidth={state.cellWidth}
        onZoom={state.zoom}
        onVisible={onVisible}
      >
        <Toolbar
          state={state}
          difference={difference}
          rows={rows}
          nLayers={model.num_layers}
          lensA={lensA}
          lensB={lensB}
          lenses={model.lenses.map((lens) => lens.kind)}
        />
        {isOfToken && (
          <TargetChoice
            modelName={model.model_name}
            tokenId={choices.tokenId}
            text={target.kept?.text ?? null}
            suggested={pair === null ? null : compared.pairs.firstChoices(pair, layers.length - 1)}
            textOf={textOf}
            onChoose={(tokenId) => change({ tokenId })}
          />
        )}
      </DifferenceGrid>
      <ComparedProgress
        pairs={pairs}
        target={isOfToken && choices.tokenId !== null ? target : null}
        alignment={alignment}
        cells={cells}
        layer={cursor.place.layer}
        layerLabel={layerLabels[cursor.place.layer] ?? ""}
        onGo={goToDifference}
      />
      {repliesPart !== null && (
        <RepliesPart
          at={repliesPart}
          a={shownA}
          b={shownB}
          isSettled={isSettled}
          onGo={
            partingColumn === -1
              ? null
              : () => goTo({ position: partingColumn, layer: rowLayers.at(-1) ?? 0 })
          }
        />
      )}
      <PairDetail
        column={column}
        row={rowLayers.indexOf(cursor.place.layer)}
        rows={rows}
        layers={layers}
        compared={compared}
        difference={difference}
        isSettled={isSettled}
        a={shownA}
        b={shownB}
      />
      {choices.hasTable && (
        <WindowTable
          gridWindow={gridWindow}
          nPositions={columns.length}
          range={null}
          contents={pairTable({
            alignment,
            compared,
            a: tokens,
            b: side.tokens,
            rowOf: (layer) => rowLayers.indexOf(layer),
          })}
          layers={rowLayers}
          layerLabels={layerLabels}
          active={cursor.place}
          onChoose={cursor.choose}
        />
      )}
    </>
  );
}
