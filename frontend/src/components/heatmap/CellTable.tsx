import clsx from "clsx";
import { useState } from "react";
import { TokenText } from "@/components/lens/TokenText";
import { Button } from "@/components/ui/Button";
import type { Cell, LensColumns, Span } from "@/lib/columns";
import { formatNats, formatProbability, formatRank } from "@/lib/format";
import type { Metric } from "@/lib/metrics";
import type { RankColumns } from "@/lib/rankColumns";
import { cellParts, cellPartsOfText } from "@/lib/tokens";
import type { Token } from "@/types/timeline";
import type { CellPlace } from "./geometry";

interface CellTableProps {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  readonly layerLabels: readonly string[];
  /** The positions that the table covers, page by page. */
  readonly span: Span;
  /** A metric that is no column of its own gets one. */
  readonly metric: Metric;
  /** The token that is outlined in the grid. */
  readonly outlined: { readonly text: string; readonly ranks: RankColumns } | null;
  readonly active: CellPlace;
}

/** Rows of one page at most, unless a single position has more layers. */
const PAGE_ROWS = 60;
const HEAD = "px-2 py-1 text-right font-normal whitespace-nowrap";
const NUMBER = "px-2 text-right font-mono whitespace-nowrap";

/** The grid as text: a row for each cell, position by position, from the output down. */
export function CellTable(props: CellTableProps) {
  const { tokens, columns, layers, layerLabels, span, metric, outlined, active } = props;
  const perPage = Math.max(1, Math.floor(PAGE_ROWS / layers.length));
  const nPages = Math.max(1, Math.ceil((span.end - span.start) / perPage));
  const pageOf = (position: number): number =>
    position >= span.start && position < span.end ? Math.floor((position - span.start) / perPage) : 0;
  const [wanted, setPage] = useState(() => pageOf(active.position));
  const page = Math.min(wanted, nPages - 1);
  const start = span.start + page * perPage;
  const end = Math.min(span.end, start + perPage);
  const positions = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  const rows = layers.toReversed();
  return (
    <section aria-label="Cells as a table" className="shrink-0 px-3 py-2">
      <div className="flex flex-wrap items-center gap-2 pb-1">
        <p aria-live="polite" className="text-muted">
          Index {start} to {end - 1}
          {nPages > 1 && `, page ${page + 1} of ${nPages}`}
        </p>
        {nPages > 1 && (
          <span className="ml-auto flex gap-2">
            <Button disabled={page === 0} onClick={() => setPage(page - 1)}>
              Page before
            </Button>
            <Button disabled={page === nPages - 1} onClick={() => setPage(page + 1)}>
              Next page
            </Button>
          </span>
        )}
      </div>
      <div
        role="region"
        aria-label="Table of cells"
        // What scrolls must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-control border border-line"
      >
        <table className="w-full text-left text-label">
          <caption className="sr-only">
            Every number of the cells at index {start} to {end - 1}, from the output down to the embedding
          </caption>
          <thead className="sticky top-0 bg-sunken text-cell text-muted">
            <tr>
              <th scope="col" className="px-2 py-1 font-normal">
                read at → predicts
              </th>
              <th scope="col" className={HEAD}>
                layer
              </th>
              <th scope="col" className="px-2 py-1 font-normal">
                first choice
              </th>
              <th scope="col" className={HEAD}>
                probability
              </th>
              <th scope="col" className={HEAD}>
                actual: rank
              </th>
              <th scope="col" className={HEAD}>
                probability
              </th>
              {metric.isSigned && (
                <th scope="col" className={HEAD}>
                  change, nats
                </th>
              )}
              <th scope="col" className={HEAD}>
                entropy, nats
              </th>
              <th scope="col" className={HEAD}>
                KL, nats
              </th>
              {outlined !== null && (
                <th scope="col" className={HEAD}>
                  {outlined.text}: rank
                </th>
              )}
              {outlined !== null && (
                <th scope="col" className={HEAD}>
                  probability
                </th>
              )}
            </tr>
          </thead>
          {positions.map((position) => (
            <tbody key={position} className="border-t border-line-strong">
              {rows.map((layer, i) => {
                const cell = columns.cell(position, layer);
                const isActive = position === active.position && layer === active.layer;
                const place = outlined?.ranks.place(position, layer) ?? null;
                return (
                  <tr
                    key={layer}
                    aria-current={isActive ? "true" : undefined}
                    className={clsx(i > 0 && "border-t border-line", isActive && "bg-accent-soft")}
                  >
                    {i === 0 && (
                      <th scope="rowgroup" rowSpan={rows.length} className="px-2 py-1 align-top font-normal">
                        <Place tokens={tokens} position={position} />
                      </th>
                    )}
                    <th scope="row" className={`${NUMBER} font-normal`}>
                      {layerLabels[layer]}
                    </th>
                    {cell === null ? (
                      <td
                        colSpan={6 + (outlined === null ? 0 : 2) + (metric.isSigned ? 1 : 0)}
                        className="px-2 text-quiet"
                      >
                        not read yet
                      </td>
                    ) : (
                      <>
                        <FirstChoice cell={cell} />
                        <td className={NUMBER}>{formatRank(cell.nextRank)}</td>
                        <td className={NUMBER}>{formatProbability(cell.nextProbability)}</td>
                        {metric.isSigned && (
                          <td className={NUMBER}>{metric.format(metric.value(columns, position, layer))}</td>
                        )}
                        <td className={NUMBER}>{formatNats(cell.entropyNats)}</td>
                        <td className={NUMBER}>{formatNats(cell.klToFinalNats)}</td>
                        {outlined !== null && <td className={NUMBER}>{formatRank(place?.rank ?? null)}</td>}
                        {outlined !== null && (
                          <td className={NUMBER}>{formatProbability(place?.probability ?? null)}</td>
                        )}
                      </>
                    )}
                  </tr>
                );
              })}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

function Place({ tokens, position }: { readonly tokens: readonly Token[]; readonly position: number }) {
  const [token, next] = [tokens[position], tokens[position + 1]];
  return (
    <>
      <span className="font-mono">{position}</span>{" "}
      {token !== undefined && <TokenText parts={cellParts(token)} className="font-mono" />}
      <br />
      <span className="text-muted">→ </span>
      {next === undefined ? (
        <span className="text-muted">none yet</span>
      ) : (
        <TokenText parts={cellParts(next)} className="font-mono" />
      )}
    </>
  );
}

function FirstChoice({ cell }: { readonly cell: Cell }) {
  const [first] = cell.predictions;
  return (
    <>
      <td className="max-w-40 truncate px-2 font-mono">
        {first !== undefined && <TokenText parts={cellPartsOfText(first.text)} />}
      </td>
      <td className={NUMBER}>{formatProbability(first?.probability ?? null)}</td>
    </>
  );
}
