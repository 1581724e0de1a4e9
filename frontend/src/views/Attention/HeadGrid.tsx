import clsx from "clsx";
import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  memo,
  useId,
  useMemo,
  useState,
} from "react";
import { isBrowserCommand } from "@/base/keys";
import { DIVERGING, rampStep } from "@/charts/colour/colour";
import type { Theme } from "@/features/settings/theme";
import type { Token } from "@/model/timeline";
import {
  BLOCK_NAME,
  type GridPlace,
  type GridRow,
  gridRows,
  headScale,
  labelStride,
  placeAfterKey,
} from "./headGrid";
import { type Rows, type Scope, isSameScope } from "./heads";
import { headInWords } from "./inWords";
import { type CellMeasure, KINDS, formatValue } from "./kinds";

interface HeadGridProps {
  readonly rows: Rows;
  readonly tokens: readonly Token[];
  readonly measure: CellMeasure;
  readonly locked: Scope;
  readonly theme: Theme;
  /** What is under the pointer or the keyboard; null when nothing is any more. */
  readonly onPreview: (scope: Scope | null) => void;
  readonly onLock: (scope: Scope) => void;
}

/** More heads than this leave a cell no room for its number. */
const MAX_NUMBERED = 8;
/** More blocks than this have low rows. */
const MAX_TALL = 16;

/**
 * Blocks by heads, the last block at the top. One tab stop: arrows move and show a head, Enter locks it, as
 * hovering shows one and a click locks it.
 */
export const HeadGrid = memo(function HeadGrid(props: HeadGridProps) {
  const { rows, tokens, measure, locked, theme, onPreview, onLock } = props;
  const id = useId();
  const lines = useMemo(() => gridRows(rows, measure), [rows, measure]);
  const max = useMemo(() => headScale(rows.kind, lines), [rows.kind, lines]);
  const [moved, setMoved] = useState<GridPlace | null>(null);
  const active = heldIn(lines, moved) ?? placeOf(locked) ?? firstOf(lines);
  const hasNumbers = rows.n_heads <= MAX_NUMBERED;
  const stride = labelStride(rows.n_heads);

  const toggle = (place: GridPlace): void => {
    const scope = scopeAt(place);
    setMoved(place);
    onLock(isSameScope(scope, locked) ? { kind: "all" } : scope);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (event.pointerType === "touch") return;
    const place = placeUnder(event);
    onPreview(place === null ? null : scopeAt(place));
  };
  const onClick = (event: MouseEvent): void => {
    const place = placeUnder(event);
    if (place !== null) toggle(place);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const isCorner = event.ctrlKey && !event.altKey && (event.key === "Home" || event.key === "End");
    if (active === null || (isBrowserCommand(event) && !isCorner)) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      toggle(active);
      return;
    }
    const next = placeAfterKey(event, active, lines, rows.n_heads);
    if (next === null) return;
    event.preventDefault();
    setMoved(next);
    onPreview(scopeAt(next));
  };

  return (
    <div
      role="grid"
      aria-label={`Blocks by heads: ${KINDS[rows.kind].cells[measure]}`}
      aria-activedescendant={active === null ? undefined : `${id}-${active.block}-${active.head}`}
      tabIndex={0}
      onPointerMove={onPointerMove}
      onPointerLeave={() => onPreview(null)}
      onBlur={() => onPreview(null)}
      onClick={onClick}
      onKeyDown={onKeyDown}
      className="group/grid grid w-max max-w-full cursor-pointer gap-px font-mono text-cell select-none focus-visible:outline-none"
      style={{
        gridTemplateColumns: `max-content repeat(${rows.n_heads}, minmax(0, ${hasNumbers ? "4rem" : "1.5rem"}))`,
        minWidth: hasNumbers ? undefined : "min(100%, 16rem)",
      }}
    >
      <div role="row" className="col-span-full grid cursor-default grid-cols-subgrid text-muted">
        <span role="columnheader" className="pr-2 font-sans">
          block
        </span>
        {Array.from({ length: rows.n_heads }, (_, head) => (
          <span
            key={head}
            role="columnheader"
            aria-label={`Head ${head}`}
            className={clsx("whitespace-nowrap", stride === 1 ? "text-center" : "w-0")}
          >
            {head % stride === 0 ? head : ""}
          </span>
        ))}
      </div>
      {lines.map((line) => (
        <Line
          key={line.block}
          id={id}
          line={line}
          rows={rows}
          tokens={tokens}
          measure={measure}
          theme={theme}
          max={max}
          hasNumbers={hasNumbers}
          isLow={lines.length > MAX_TALL}
          locked={placeOf(locked)?.block === line.block ? (placeOf(locked)?.head ?? null) : null}
          active={active?.block === line.block ? active.head : null}
        />
      ))}
    </div>
  );
});

interface LineProps {
  readonly id: string;
  readonly line: GridRow;
  readonly rows: Rows;
  readonly tokens: readonly Token[];
  readonly measure: CellMeasure;
  readonly theme: Theme;
  readonly max: number;
  readonly hasNumbers: boolean;
  readonly isLow: boolean;
  /** Head that is locked, `BLOCK_NAME` for the block; null where neither is. */
  readonly locked: number | null;
  readonly active: number | null;
}

/** One block. Drawn again only when something of it changed. */
const Line = memo(function Line(props: LineProps) {
  const { id, line, rows, tokens, measure, theme, max, hasNumbers, isLow, locked, active } = props;
  const { block, values } = line;
  const ramp = DIVERGING[theme];
  const height = isLow ? "h-3.5 pointer-coarse:h-5" : "h-5 pointer-coarse:h-7";
  const mark = (head: number): string =>
    clsx(
      locked === head && "z-1 shadow-[0_0_0_2px_var(--accent)]",
      active === head && "group-focus-visible/grid:z-2 group-focus-visible/grid:outline-3 outline-focus",
    );
  return (
    <div role="row" className="col-span-full grid grid-cols-subgrid">
      <span
        id={`${id}-${block}-${BLOCK_NAME}`}
        role="rowheader"
        aria-label={values === null ? `Block ${block}, without attention` : `Block ${block}, all heads`}
        aria-selected={values === null ? undefined : locked === BLOCK_NAME}
        data-block={values === null ? undefined : block}
        data-head={BLOCK_NAME}
        className={clsx(
          "relative flex items-center justify-end rounded-[2px] pr-2 pl-1 text-muted",
          height,
          values !== null && "hover:bg-hover hover:text-ink",
          locked === BLOCK_NAME && "text-ink",
          mark(BLOCK_NAME),
        )}
      >
        <span className={clsx(isLow && "leading-3.5")}>{block}</span>
      </span>
      {values === null ? (
        <span
          role="gridcell"
          className={clsx(
            "flex cursor-default items-center truncate px-1 font-sans text-muted",
            height,
            isLow && "leading-3.5",
          )}
          style={{ gridColumn: `span ${rows.n_heads}` }}
        >
          no attention: this block mixes tokens in another way
        </span>
      ) : (
        values.map((value, head) => {
          const step = rampStep({ kind: "linear", dark: -max, bright: max }, value);
          return (
            <span
              key={head}
              id={`${id}-${block}-${head}`}
              role="gridcell"
              aria-label={headInWords(rows, tokens, { block, head, value, measure })}
              aria-selected={locked === head}
              data-block={block}
              data-head={head}
              className={clsx(
                "relative flex items-center justify-center overflow-hidden hover:z-1 hover:shadow-[0_0_0_1px_var(--text)]",
                height,
                mark(head),
              )}
              style={{ backgroundColor: ramp.fill[step], color: ramp.ink[step] }}
            >
              {hasNumbers && !isLow && formatValue(rows.kind, value)}
            </span>
          );
        })
      )}
    </div>
  );
});

const scopeAt = ({ block, head }: GridPlace): Scope =>
  head === BLOCK_NAME ? { kind: "block", block } : { kind: "head", block, head };

function placeOf(scope: Scope): GridPlace | null {
  if (scope.kind === "all") return null;
  return { block: scope.block, head: scope.kind === "head" ? scope.head : BLOCK_NAME };
}

const heldIn = (lines: readonly GridRow[], place: GridPlace | null): GridPlace | null =>
  lines.some(({ block, values }) => block === place?.block && values !== null) ? place : null;

function firstOf(lines: readonly GridRow[]): GridPlace | null {
  const line = lines.find(({ values }) => values !== null);
  return line === undefined ? null : { block: line.block, head: 0 };
}

function placeUnder({ target }: { readonly target: EventTarget }): GridPlace | null {
  const cell = target instanceof Element ? target.closest("[data-block]") : null;
  return cell === null
    ? null
    : { block: Number(cell.getAttribute("data-block")), head: Number(cell.getAttribute("data-head")) };
}
