import type { CellPlace } from "@/charts/heatmap/geometry";
import type { GridWindow } from "@/charts/heatmap/GridWindow";
import type { LensKind } from "@/model/lenses";
import type { ModelInfo } from "@/types/schemas";
import type { CompareState } from "./choices";
import { describePair } from "./describePair";
import { DifferenceGrid } from "./DifferenceGrid";
import type { Pair } from "./pairColumns";
import { TargetChoice } from "./TargetChoice";
import { Toolbar } from "./Toolbar";
import type { ComparedTimelines } from "./useComparedTimelines";
import type { Cursor } from "./useCursor";

interface ComparedGridProps {
  readonly both: ComparedTimelines;
  readonly drawn: NonNullable<ComparedTimelines["drawn"]>;
  readonly cursor: Cursor;
  readonly gridWindow: GridWindow;
  readonly model: ModelInfo;
  readonly state: CompareState;
  /** At the cursor; null where a token is unaligned. */
  readonly pair: Pair | null;
  readonly onChangeLens: (lensB: LensKind | null) => void;
}

/** The grid with its controls: measure, layers, lens of B and, for one token's probability, the token. */
export function ComparedGrid(props: ComparedGridProps) {
  const { both, drawn, cursor, gridWindow, model, state, pair, onChangeLens } = props;
  const { alignment, rowLayers, layers, layerLabels, difference, textsA, textsB, textOf } = both;
  const { compared, cells, scale } = drawn;
  const describe = ({ position, layer }: CellPlace): string =>
    describePair(
      {
        column: alignment.columns[position] ?? { a: null, b: null, isSame: true },
        row: rowLayers.indexOf(layer),
        rowLabel: layerLabels[layer] ?? "",
        textsA,
        textsB,
        textOf,
        difference,
      },
      compared,
    );
  return (
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
      onVisible={both.onVisible}
    >
      <Toolbar
        state={state}
        difference={difference}
        rows={both.rows}
        nLayers={model.num_layers}
        hasHalf={both.hasHalf}
        lensA={both.lensA}
        lensB={both.lensB}
        lenses={model.lenses.map((lens) => lens.kind)}
        onChangeLens={onChangeLens}
      />
      {both.isOfToken && (
        <TargetChoice
          modelName={model.model_name}
          tokenId={state.choices.tokenId}
          text={both.target.kept?.text ?? null}
          suggested={pair === null ? null : compared.pairs.firstChoices(pair, layers.length - 1)}
          textOf={textOf}
          onChoose={(tokenId) => state.change({ tokenId })}
        />
      )}
    </DifferenceGrid>
  );
}
