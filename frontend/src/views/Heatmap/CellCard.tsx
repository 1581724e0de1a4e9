import { Fragment, type ReactNode } from "react";
import { ContinueWith } from "@/features/branches/ContinueWith";
import { PredictionBars } from "@/features/evidence/PredictionBars";
import { ReadAt } from "@/features/evidence/ReadAt";
import { PinToggle } from "@/features/pins/PinToggle";
import { SteerToken } from "@/features/steering/SteerToken";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerTitle } from "@/model/layers";
import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import type { Cell } from "@/reading/columns";
import { TokenText } from "@/ui/TokenText";

export interface MoreNumber {
  readonly name: ReactNode;
  readonly value: string;
}

interface CellCardProps {
  readonly tokens: readonly Token[];
  readonly position: number;
  readonly layer: number;
  /** Null where it is not read yet. */
  readonly cell: Cell | null;
  /** Further numbers of the cell, each with its name. */
  readonly more: readonly MoreNumber[];
  /** What else there is to say of it. */
  readonly notes: readonly string[];
}

/** One cell in full, at a fixed place: it never jumps about under the pointer. */
export default function CellCard({ tokens, position, layer, cell, more, notes }: CellCardProps) {
  const next = tokens[position + 1] ?? null;
  return (
    <section aria-label="Cell" className="@container shrink-0 px-3 py-2">
      <p className="text-muted">
        <b className="font-medium text-ink">{layerTitle(layer)}</b>{" "}
        <ReadAt tokens={tokens} position={position} />
        {notes.map((note) => ` · ${note}`)}
      </p>
      {cell === null ? (
        <p className="min-h-32 pt-1 text-quiet">Not read yet.</p>
      ) : (
        <div className="grid min-h-32 gap-x-6 gap-y-2 pt-1 @min-[30rem]:grid-cols-[minmax(0,1fr)_13rem]">
          <PredictionBars
            predictions={cell.predictions}
            actualId={next?.id ?? null}
            actions={({ tokenId, text }) => (
              <>
                {tokenId !== next?.id && <ContinueWith index={position + 1} tokenId={tokenId} text={text} />}
                <SteerToken tokenId={tokenId} text={text} />
                <PinToggle tokenId={tokenId} text={text} />
              </>
            )}
          />
          <dl className="grid grid-cols-[auto_1fr] content-start gap-x-3 text-label">
            <dt className="text-muted">actual next</dt>
            <dd className="truncate text-right">
              {next === null ? "none yet" : <TokenText parts={cellParts(next)} />}
            </dd>
            <dt className="text-muted">its rank</dt>
            <dd className="text-right font-mono">{formatRank(cell.nextRank)}</dd>
            <dt className="text-muted">its probability</dt>
            <dd className="text-right font-mono">{formatProbability(cell.nextProbability)}</dd>
            <dt className="text-muted">entropy, nats</dt>
            <dd className="text-right font-mono">{formatNats(cell.entropyNats)}</dd>
            <dt className="text-muted">KL to final, nats</dt>
            <dd className="text-right font-mono">{formatNats(cell.klToFinalNats)}</dd>
            {more.map(({ name, value }, i) => (
              <Fragment key={i}>
                <dt className="truncate text-muted">{name}</dt>
                <dd className="text-right font-mono">{value}</dd>
              </Fragment>
            ))}
          </dl>
        </div>
      )}
    </section>
  );
}
