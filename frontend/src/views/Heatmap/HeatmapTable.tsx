import type { Span } from "@/base/span";
import type { CellPlace, Hit } from "@/charts/heatmap/geometry";
import type { GridWindow } from "@/charts/heatmap/GridWindow";
import { useScrolledTo } from "@/charts/heatmap/useScrolledTo";
import { WindowTable } from "@/charts/heatmap/WindowTable";
import type { Token } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import { lensTable } from "./lensTable";
import type { useCells } from "./useCells";
import type { Outline } from "./useOutline";

interface HeatmapTableProps {
  readonly isShown: boolean;
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  readonly drawn: ReturnType<typeof useCells>;
  readonly outline: Outline;
  readonly gridWindow: GridWindow;
  readonly range: Span | null;
  readonly active: CellPlace;
  readonly onChoose: (hit: Hit) => void;
}

/** The columns on the screen as numbers. */
export function HeatmapTable({ isShown, tokens, columns, drawn, outline, ...table }: HeatmapTableProps) {
  const element = useScrolledTo<HTMLDivElement>(isShown);
  if (!isShown) return null;
  const { chosen, ranks } = outline;
  return (
    <div ref={element}>
      <WindowTable
        {...table}
        nPositions={tokens.length}
        contents={lensTable({
          tokens,
          columns,
          metric: drawn.metric,
          outlined:
            chosen === null || ranks.columns === null ? null : { text: chosen.text, ranks: ranks.columns },
        })}
        layers={drawn.layers}
        layerLabels={drawn.layerLabels}
      />
    </div>
  );
}
