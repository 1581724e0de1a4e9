import type { OutlinedCells } from "@/charts/heatmap/cellLooks";
import { formatCount } from "@/model/format";
import type { TimelineRanks } from "@/reading/ranks";

interface OutlineStatusProps {
  readonly text: string;
  readonly rank: number;
  readonly outlined: OutlinedCells;
  readonly ranks: TimelineRanks;
}

/** The outlined cells in a sentence, and how many positions are read for it. */
export function OutlineStatus({ text, rank, outlined, ranks }: OutlineStatusProps) {
  const { read, total, status } = ranks;
  return (
    <p className="flex min-h-6 shrink-0 flex-wrap items-center gap-x-2 px-3 text-cell text-muted">
      <span>
        Outlined: “<bdi className="font-mono text-ink">{text}</bdi>”{" "}
        {rank === 1 ? "is top-1" : `has rank 1 to ${rank}`} in {formatCount(outlined.nInside)} of{" "}
        {formatCount(outlined.nRead)} {outlined.nRead === 1 ? "cell" : "cells"}
      </span>
      {read < total && (
        <span>
          {formatCount(read)} of {formatCount(total)} positions read for it
          {status === "deferred"
            ? "; the others follow when the reply has ended"
            : status === "loading"
              ? "…"
              : ""}
        </span>
      )}
    </p>
  );
}
