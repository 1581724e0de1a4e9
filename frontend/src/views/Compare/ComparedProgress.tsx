import type { CellSource } from "@/charts/heatmap/cellLooks";
import { ReadingProgress } from "@/features/evidence/ReadingProgress";
import { formatCount } from "@/model/format";
import { IconButton } from "@/ui/Button";
import type { Alignment } from "@/features/pair/alignment";
import type { ReadPairs } from "./comparedPairs";
import type { PairColumns, TargetColumns } from "./pairColumns";

interface ComparedProgressProps {
  readonly pairs: ReadPairs<PairColumns>;
  /** What is read of the chosen token; null where none is. */
  readonly target: ReadPairs<TargetColumns> | null;
  readonly alignment: Alignment;
  readonly cells: CellSource;
  /** The layer whose top-1 predictions are counted. */
  readonly layer: number;
  readonly layerLabel: string;
  readonly onGo: (step: 1 | -1) => void;
}

/** How much is compared, how much of it differs, and the way to the next difference. Keeps its line. */
export function ComparedProgress(props: ComparedProgressProps) {
  const { pairs, target, alignment, cells, layer, layerLabel, onGo } = props;
  const unfinished =
    pairs.status !== "done" ? pairs : target !== null && target.status !== "done" ? target : null;
  const { columns, nPairs, isThorough } = alignment;
  let nDifferent = 0;
  for (let position = 0; position < columns.length; position += 1) {
    if (cells.isMarked(position, layer)) nDifferent += 1;
  }
  const nGaps = columns.length - nPairs;
  return (
    <ReadingProgress
      reading={{ ...(unfinished ?? pairs), total: nPairs }}
      unit={["pair", "pairs"]}
      hatched="columns"
      quick={0}
    >
      {nGaps > 0 && (
        <span>
          {formatCount(nGaps)} unaligned {nGaps === 1 ? "token" : "tokens"}
        </span>
      )}
      <span role="group" aria-label="Differences" className="ml-auto flex items-center gap-1">
        {pairs.read > 0 && (
          <span>
            top-1 differs at layer {layerLabel} in {formatCount(nDifferent)} of {formatCount(pairs.read)}
          </span>
        )}
        <IconButton
          icon="left"
          label="Previous difference (,)"
          disabled={nDifferent === 0}
          onClick={() => onGo(-1)}
        />
        <IconButton
          icon="right"
          label="Next difference (.)"
          disabled={nDifferent === 0}
          onClick={() => onGo(1)}
        />
      </span>
      {!isThorough && (
        <p className="basis-full">
          The two differ too much to be aligned token by token: their common beginning and end are aligned,
          and the tokens between are paired in order.
        </p>
      )}
    </ReadingProgress>
  );
}
