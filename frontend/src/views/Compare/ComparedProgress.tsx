import type { CellSource } from "@/charts/heatmap/cellLooks";
import { formatCount } from "@/model/format";
import { Button, IconButton } from "@/ui/Button";
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
    <div className="flex min-h-8 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 px-3 text-cell text-muted">
      <p role="status">
        {formatCount(unfinished?.read ?? pairs.read)} of {formatCount(nPairs)}{" "}
        {nPairs === 1 ? "pair" : "pairs"} read
        {unfinished?.status === "deferred" && "; the others follow when the reply has ended"}
        {unfinished?.status === "cancelled" && "; reading was stopped, hatched columns are not read"}
        {nGaps > 0 && `; ${formatCount(nGaps)} unaligned ${nGaps === 1 ? "token" : "tokens"}`}
      </p>
      {unfinished?.status === "loading" && (
        <>
          <progress
            aria-label="Pairs read"
            value={unfinished.read}
            max={unfinished.total}
            className="progress w-24"
          />
          <Button size="small" onClick={unfinished.cancel}>
            Stop reading
          </Button>
        </>
      )}
      {unfinished?.status === "cancelled" && (
        <Button size="small" onClick={unfinished.retry}>
          Read on
        </Button>
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
    </div>
  );
}
