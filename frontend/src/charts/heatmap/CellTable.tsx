import clsx from "clsx";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { isBrowserCommand } from "@/base/keys";
import type { Span } from "@/base/span";
import type { LayerLabels } from "@/model/layers";
import { Button } from "@/ui/Button";
import type { CellPlace } from "./geometry";

export interface TableColumn {
  /** With the unit, where the numbers have one. */
  readonly name: string;
  /** Only asked for where the position is read. */
  readonly cell: (position: number, layer: number) => ReactNode;
  readonly isText?: true;
}

/** What the table of a grid says, whatever the grid is about. */
export interface TableContents {
  /** What a column of the grid is called, in front of its number. */
  readonly unit: "Index" | "Column";
  /** Above the places. */
  readonly placeName: string;
  readonly place: (position: number) => ReactNode;
  readonly isRead: (position: number) => boolean;
  /** Why there are no cells at a position: it has a single row then. Null where there are. */
  readonly absence: (position: number) => string | null;
  readonly columns: readonly TableColumn[];
}

interface CellTableProps {
  readonly contents: TableContents;
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  readonly layerLabels: LayerLabels;
  /** The positions that the table covers, page by page. */
  readonly span: Span;
  readonly active: CellPlace;
  readonly onChoose: (place: CellPlace) => void;
}

/** Rows of one page at most, unless a single position has more layers. */
const PAGE_ROWS = 60;
const TEXT_HEAD = "px-2 py-1 font-normal whitespace-nowrap";
const HEAD = `${TEXT_HEAD} text-right`;
const NUMBER = "px-2 text-right font-mono whitespace-nowrap";

/** The grid as text: a row for each cell, position by position, from the output down. */
export default function CellTable({ contents, layers, layerLabels, span, active, onChoose }: CellTableProps) {
  const { unit, placeName, columns } = contents;
  const perPage = Math.max(1, Math.floor(PAGE_ROWS / layers.length));
  const nPages = Math.max(1, Math.ceil((span.end - span.start) / perPage));
  const pageOf = (position: number): number =>
    position >= span.start && position < span.end ? Math.floor((position - span.start) / perPage) : 0;
  // Another span opens at the active cell. The rows that stay keep the focus, so nothing is mounted anew.
  const spanKey = `${span.start} ${span.end} ${perPage}`;
  const [turned, setTurned] = useState(() => ({ spanKey, page: pageOf(active.position) }));
  if (turned.spanKey !== spanKey) setTurned({ spanKey, page: pageOf(active.position) });
  const page = Math.min(turned.page, nPages - 1);
  const turnTo = (next: number): void => setTurned({ spanKey, page: next });
  const start = span.start + page * perPage;
  const end = Math.min(span.end, start + perPage);
  const positions = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  const rows = layers.toReversed();
  const isActive = (place: CellPlace): boolean =>
    place.position === active.position && place.layer === active.layer;
  // One row takes part in the order of Tab: the active one, or the first where that is on another page.
  const hasActive = positions.includes(active.position) && contents.absence(active.position) === null;
  const first = positions.find((position) => contents.absence(position) === null);
  const isStop = (place: CellPlace): boolean =>
    hasActive ? isActive(place) : place.position === first && place.layer === rows[0];
  return (
    <section aria-label="Cells as a table" className="shrink-0 px-3 py-2">
      <div className="flex flex-wrap items-center gap-2 pb-1">
        <p aria-live="polite" className="text-muted">
          {unit} {start} to {end - 1}
          {nPages > 1 && `, page ${page + 1} of ${nPages}`}
        </p>
        {nPages > 1 && (
          <span className="ml-auto flex gap-2">
            <Button disabled={page === 0} onClick={() => turnTo(page - 1)}>
              Previous page
            </Button>
            <Button disabled={page === nPages - 1} onClick={() => turnTo(page + 1)}>
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
            Every number of the cells at {unit.toLowerCase()} {start} to {end - 1}, from the output down to
            layer 0 (embedding)
          </caption>
          <thead className="sticky top-0 z-1 bg-sunken text-cell text-muted">
            <tr>
              <th scope="col" className={TEXT_HEAD}>
                {placeName}
              </th>
              <th scope="col" className={HEAD}>
                layer
              </th>
              {columns.map(({ name, isText }, i) => (
                // A token may be named as a column is, so their order is what tells them apart.
                <th key={i} scope="col" className={isText === true ? TEXT_HEAD : HEAD}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {positions.map((position) => {
            const absence = contents.absence(position);
            const isRead = contents.isRead(position);
            return (
              <tbody key={position} data-position={position} className="border-t border-line-strong">
                {absence !== null && (
                  <tr>
                    <th scope="row" className="px-2 py-1 align-top font-normal">
                      {contents.place(position)}
                    </th>
                    <td colSpan={columns.length + 1} className="px-2 text-muted">
                      {absence}
                    </td>
                  </tr>
                )}
                {(absence === null ? rows : []).map((layer, i) => {
                  const place = { position, layer };
                  return (
                    // The button in the row does the same for the keyboard.
                    <tr
                      key={layer}
                      aria-current={isActive(place) ? "true" : undefined}
                      onClick={(event) => {
                        if (!marksTextIn(event.currentTarget)) onChoose(place);
                      }}
                      className={clsx(
                        "cursor-pointer",
                        i > 0 && "border-t border-line",
                        isActive(place) ? "bg-accent-soft" : "hover:bg-hover",
                      )}
                    >
                      {i === 0 && (
                        <th
                          scope="rowgroup"
                          rowSpan={rows.length}
                          className="cursor-auto bg-raised px-2 py-1 align-top font-normal"
                        >
                          {contents.place(position)}
                        </th>
                      )}
                      <th scope="row" className={`${NUMBER} font-normal`}>
                        <button
                          type="button"
                          title="Select this cell"
                          tabIndex={isStop(place) ? 0 : -1}
                          onKeyDown={moveFocus}
                          className="w-full text-right"
                        >
                          {layerLabels[layer]}
                        </button>
                      </th>
                      {isRead ? (
                        columns.map(({ cell, isText }, at) => (
                          <td
                            key={at}
                            className={isText === true ? "max-w-40 truncate px-2 font-mono" : NUMBER}
                          >
                            {cell(position, layer)}
                          </td>
                        ))
                      ) : (
                        <td colSpan={columns.length} className="px-2 text-quiet">
                          not read yet
                        </td>
                      )}
                    </tr>
                  );
                })}
              </tbody>
            );
          })}
        </table>
      </div>
    </section>
  );
}

/** The arrows go from row to row; the browser scrolls to what has the focus. */
function moveFocus(event: KeyboardEvent<HTMLButtonElement>): void {
  if (isBrowserCommand(event)) return;
  const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
  const buttons = [...(event.currentTarget.closest("table")?.querySelectorAll("button") ?? [])];
  const last = buttons.length - 1;
  const at = buttons.indexOf(event.currentTarget);
  const next = event.key === "Home" ? 0 : event.key === "End" ? last : step === undefined ? null : at + step;
  if (next === null) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(last, next))]?.focus();
}

/** Numbers that were marked to be copied are no choice; what is marked elsewhere on the page says nothing. */
function marksTextIn(row: Element): boolean {
  const marked = window.getSelection();
  return marked?.isCollapsed === false && marked.containsNode(row, true);
}
