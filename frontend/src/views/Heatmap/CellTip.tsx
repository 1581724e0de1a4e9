import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerTitle } from "@/model/layers";
import type { Token } from "@/model/timeline";
import { cellParts, cellPartsOfText } from "@/model/tokens";
import type { Cell } from "@/reading/columns";
import { TokenText } from "@/ui/TokenText";

interface CellTipProps {
  readonly position: number;
  readonly layer: number;
  /** Null where it is not read yet. */
  readonly cell: Cell | null;
  /** The actual next token; null where none follows yet. */
  readonly next: Token | null;
}

/** The numbers of a cell beside it, however far below the grid the panel lies. */
export function CellTip({ position, layer, cell, next }: CellTipProps) {
  const top = cell?.predictions[0];
  return (
    <>
      <p>
        {layerTitle(layer)}, index {position}
      </p>
      {cell === null || top === undefined ? (
        <p>Not read yet.</p>
      ) : (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)_auto_auto] gap-x-2 [&_dd]:font-mono [&_dd]:text-ink">
          <dt>top-1</dt>
          <dd className="truncate">
            <TokenText parts={cellPartsOfText(top.text)} />
          </dd>
          <dd className="text-right">#1</dd>
          <dd className="text-right">{formatProbability(top.probability)}</dd>
          {next !== null && (
            <>
              <dt>actual</dt>
              <dd className="truncate">
                <TokenText parts={cellParts(next)} />
              </dd>
              <dd className="text-right">#{formatRank(cell.nextRank)}</dd>
              <dd className="text-right">{formatProbability(cell.nextProbability)}</dd>
            </>
          )}
          <dt>entropy</dt>
          <dd className="col-span-3 text-right">{formatNats(cell.entropyNats)} nats</dd>
        </dl>
      )}
    </>
  );
}
