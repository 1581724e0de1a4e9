import type { TimelineRanks } from "@/api/ranks";
import type { OutlinedCells } from "@/components/heatmap/cellLooks";
import { formatCount } from "@/lib/format";

interface OutlineStatusProps {
  readonly text: string;
  readonly rank: number;
  readonly outlined: OutlinedCells;
  readonly ranks: TimelineRanks;
  /** The model is busy with a reply: what is missing is read afterwards. */
  readonly isBusy: boolean;
}

/** What the outline goes around, as a sentence, and how far it has come. */
export function OutlineStatus({ text, rank, outlined, ranks, isBusy }: OutlineStatusProps) {
  const { read, total, isReading } = ranks;
  return (
    <p className="flex min-h-6 shrink-0 flex-wrap items-center gap-x-2 px-3 text-cell text-muted">
      <span>
        Outlined: “<bdi className="font-mono text-ink">{text}</bdi>”{" "}
        {rank === 1 ? "is the first choice" : `has rank 1 to ${rank}`} in {formatCount(outlined.nInside)} of{" "}
        {formatCount(outlined.nRead)} cells
      </span>
      {read < total && (
        <span>
          {formatCount(read)} of {formatCount(total)} positions read for it
          {isBusy ? "; the others follow when the reply has ended" : isReading ? "…" : ""}
        </span>
      )}
    </p>
  );
}
