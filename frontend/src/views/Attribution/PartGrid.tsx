import clsx from "clsx";
import { Fragment, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { isBrowserCommand } from "@/base/keys";
import { formatNats, formatSigned } from "@/model/format";
import { Icon } from "@/ui/Icon";
import { type PartRow, canOpen, rangeOf } from "./parts";
import { rowAfterKey } from "./rowKeys";

interface PartGridProps {
  readonly label: string;
  /** Those that are seen, in their order. */
  readonly rows: readonly PartRow[];
  readonly open: ReadonlySet<string>;
  /** The row of the selected place; null for none. */
  readonly currentId: string | null;
  /** Heads of the columns of target and foil; no second one without a foil. */
  readonly target: ReactNode;
  readonly foil: ReactNode;
  readonly total: number;
  readonly nameOf: (row: PartRow) => ReactNode;
  /** The same in words. */
  readonly wordsOf: (row: PartRow) => string;
  /** Stands below an open row: why it is large, or why its parts are not there. */
  readonly belowOf: (row: PartRow) => ReactNode;
  readonly onOpen: (row: PartRow, isOpen: boolean) => void;
  /** A row was moved to or pressed. */
  readonly onVisit: (row: PartRow) => void;
  /** A word was chosen. */
  readonly onChooseSource: (index: number) => void;
}

const COLUMNS =
  "grid grid-cols-[minmax(9rem,2fr)_minmax(0,3fr)_4.5rem] @2xl:grid-cols-[minmax(9rem,2fr)_minmax(0,5fr)_4.5rem_4.5rem_5rem] gap-x-2 px-3 items-center";
const WIDE_ONLY = "hidden @2xl:block";
const NUMBER = "text-right font-mono text-label";
const INDENT = ["", "pl-3", "pl-6", "pl-9"] as const;

const rowElementId = (id: string): string => `part-${id}`;

/** The parts as rows with bars, each beginning where the one before it ended: a treegrid for the keyboard. */
export function PartGrid(props: PartGridProps) {
  const { label, rows, open, currentId, total, nameOf, belowOf } = props;
  const grid = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const tabStop =
    rows.find(({ id }) => id === activeId) ?? rows.find(({ id }) => id === currentId) ?? rows[0];
  const { low, high } = rangeOf(rows);
  const span = Math.max(high - low, 1e-9);
  const at = (logits: number): string => `${(100 * (logits - low)) / span}%`;

  const visit = (row: PartRow): void => {
    reached.current = row.id;
    props.onVisit(row);
  };
  const press = (row: PartRow): void => {
    if (row.source !== null) {
      props.onChooseSource(row.source);
      return;
    }
    visit(row);
    if (canOpen(row)) props.onOpen(row, !open.has(row.id));
  };
  const onKeyDown = (event: KeyboardEvent, row: PartRow): void => {
    if (isBrowserCommand(event)) return;
    const action = rowAfterKey(event.key, row, rows, open);
    if (action === null) return;
    event.preventDefault();
    if (action.kind === "press") press(row);
    else if (action.kind === "open") props.onOpen(row, action.isOpen);
    else {
      setActiveId(action.row.id);
      visit(action.row);
      grid.current?.querySelector<HTMLElement>(`[id="${rowElementId(action.row.id)}"]`)?.focus();
    }
  };
  // A place that comes from the address, a button or another view is brought into sight, with room below it.
  const reached = useRef<string | null>(null);
  useEffect(() => {
    if (currentId === null || currentId === reached.current) return;
    bringIntoSight(grid.current?.querySelector(`[id="${rowElementId(currentId)}"]`) ?? null);
  }, [currentId]);
  const siblings = siblingsOf(rows);
  return (
    <div ref={grid} role="treegrid" aria-label={label} aria-readonly="true">
      <div
        role="row"
        className={clsx(
          COLUMNS,
          "sticky top-0 z-sticky h-8 border-b border-line bg-raised text-label text-muted",
        )}
      >
        <span role="columnheader">part</span>
        <span role="columnheader" className="truncate">
          from the embedding to the {props.foil === null ? "logit" : "difference"}
        </span>
        <span role="columnheader" className={clsx(WIDE_ONLY, "truncate text-right")}>
          {props.target}
        </span>
        <span role="columnheader" className={clsx(WIDE_ONLY, "truncate text-right")}>
          {props.foil}
        </span>
        <span role="columnheader" className="text-right">
          adds <span className="text-quiet">logits</span>
        </span>
      </div>
      {rows.map((row) => {
        const isOpen = open.has(row.id);
        const below = isOpen ? belowOf(row) : null;
        const belowId = `${rowElementId(row.id)}-below`;
        const { position, count } = siblings.get(row.id) ?? { position: 1, count: 1 };
        const end = row.start + row.contribution;
        return (
          <Fragment key={row.id}>
            <div
              role="row"
              id={rowElementId(row.id)}
              data-part={row.kind}
              aria-label={`${props.wordsOf(row)}: ${formatSigned(row.contribution)}`}
              tabIndex={row === tabStop ? 0 : -1}
              aria-level={row.level}
              aria-posinset={position}
              aria-setsize={count}
              aria-expanded={canOpen(row) ? isOpen : undefined}
              aria-current={row.id === currentId ? "true" : undefined}
              aria-describedby={below === null ? undefined : belowId}
              onFocus={() => setActiveId(row.id)}
              onClick={() => press(row)}
              onKeyDown={(event) => onKeyDown(event, row)}
              className={clsx(
                COLUMNS,
                "min-h-7 scroll-mt-10 border-b border-line shadow-[inset_3px_0_0_transparent] focus-visible:-outline-offset-2 pointer-coarse:min-h-11",
                row.id === currentId
                  ? "bg-accent-soft shadow-[inset_3px_0_0_var(--accent)]"
                  : "hover:bg-hover",
                (canOpen(row) || row.source !== null) && "cursor-pointer",
              )}
            >
              <span
                role="rowheader"
                className={clsx("flex min-w-0 items-center gap-1", INDENT[row.level - 1] ?? INDENT[3])}
              >
                <Icon
                  name={isOpen ? "down" : "right"}
                  className={clsx("size-3.5 text-quiet", !canOpen(row) && "invisible max-md:hidden")}
                />
                <span className={clsx("min-w-0 truncate", row.level === 1 && "font-medium")}>
                  {nameOf(row)}
                </span>
              </span>
              <span
                role="gridcell"
                aria-label={`from ${formatNats(row.start)} to ${formatNats(end)}`}
                className="relative h-full"
              >
                <Guide at={at(0)} />
                <Guide at={at(total)} isDashed />
                <span
                  data-part="bar"
                  style={{
                    left: at(Math.min(row.start, end)),
                    width: `${(100 * Math.abs(row.contribution)) / span}%`,
                  }}
                  className={clsx(
                    "absolute inset-y-1.5 min-w-px pointer-coarse:inset-y-3 forced-color-adjust-none forced-colors:bg-[CanvasText]",
                    row.level > 1 && "opacity-75",
                    row.contribution < 0 ? "bg-data-minus" : "bg-data-plus",
                  )}
                />
              </span>
              <span role="gridcell" className={clsx(WIDE_ONLY, NUMBER, "text-muted")}>
                {formatSigned(row.target)}
              </span>
              <span role="gridcell" className={clsx(WIDE_ONLY, NUMBER, "text-muted")}>
                {row.foil === null ? "" : formatSigned(row.foil)}
              </span>
              <span role="gridcell" className={NUMBER}>
                {formatSigned(row.contribution)}
              </span>
            </div>
            {below !== null && (
              <div role="row" className="border-b border-line bg-sunken px-3 py-1 text-label text-muted">
                <div role="gridcell" aria-colspan={5} id={belowId} className={INDENT[row.level] ?? INDENT[3]}>
                  {below}
                </div>
              </div>
            )}
          </Fragment>
        );
      })}
    </div>
  );
}

/** Scrolls the rows alone: `scrollIntoView` would also move what lies around them, on a phone the page. */
function bringIntoSight(row: Element | null): void {
  let around = row?.parentElement ?? null;
  while (around !== null && getComputedStyle(around).overflowY !== "auto") around = around.parentElement;
  if (row === null || around === null) return;
  const [own, room] = [row.getBoundingClientRect(), around.getBoundingClientRect()];
  around.scrollTop += own.top - room.top - room.height / 3;
}

/** Zero, or the sum. */
function Guide({ at, isDashed = false }: { readonly at: string; readonly isDashed?: boolean }) {
  return (
    <span
      aria-hidden="true"
      style={{ left: at }}
      className={clsx(
        "absolute inset-y-0 border-l",
        isDashed ? "border-dashed border-line-strong" : "border-line-strong",
      )}
    />
  );
}

/** The place of each row among those of the same parent, and how many these are. */
function siblingsOf(
  rows: readonly PartRow[],
): ReadonlyMap<string, { readonly position: number; readonly count: number }> {
  const found = new Map<string, { readonly position: number; readonly count: number }>();
  const groups: PartRow[][] = [];
  const close = (from: number): void => {
    for (const group of groups.splice(from)) {
      for (const [i, { id }] of group.entries()) found.set(id, { position: i + 1, count: group.length });
    }
  };
  for (const row of rows) {
    close(row.level);
    (groups[row.level - 1] ??= []).push(row);
  }
  close(0);
  return found;
}
