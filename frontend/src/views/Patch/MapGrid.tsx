import { formatScore } from "@/model/format";
import clsx from "clsx";
import { type KeyboardEvent, type PointerEvent, memo, useEffect, useId, useRef, useState } from "react";
import { isBrowserCommand } from "@/base/keys";
import { DIVERGING, rampStep } from "@/charts/colour/colour";
import { Legend } from "@/charts/heatmap/Legend";
import type { Theme } from "@/features/settings/theme";
import { cellText } from "@/model/tokens";
import type { Cell } from "./choices";
import {
  type GridPlace,
  type MapRow,
  SCORE_SCALE,
  firstDifference,
  isInCone,
  placeAfterKey,
  placeOfCell,
} from "./grid";
import type { PatchTexts } from "./texts";

interface MapGridProps {
  readonly texts: PatchTexts;
  readonly rows: readonly MapRow[];
  readonly cell: Cell | null;
  readonly theme: Theme;
  /** What the two ends of a score are. */
  readonly unit: string;
  readonly onPatch: (cell: Cell) => void;
}

/** More columns than this leave a cell no room for its number. */
const MAX_NUMBERED = 24;
/** Columns in view before the first that can carry anything. */
const COLUMNS_BEFORE = 2;

/**
 * Layers by aligned positions. A click or Enter patches a cell into its counterpart; dragging from one
 * column to another (with a finger, once it is patched), or `p` on both, puts the state of the first in the
 * place of the second. What a patch under the pointer or the keyboard can reach is framed.
 */
export const MapGrid = memo(function MapGrid({ texts, rows, cell, theme, unit, onPatch }: MapGridProps) {
  const id = useId();
  const { pairs, a, b } = texts;
  const nLayers = rows.length - 1;
  const [moved, setMoved] = useState<GridPlace | null>(null);
  const [hovered, setHovered] = useState<GridPlace | null>(null);
  const [picked, setPicked] = useState<GridPlace | null>(null);
  const pressed = useRef<GridPlace | null>(null);
  const chosen = placeOfCell(cell, pairs);
  const active = within(moved, nLayers, pairs.length) ?? chosen ?? { layer: nLayers, pair: pairs.length - 1 };
  const hasNumbers = pairs.length <= MAX_NUMBERED;
  const ramp = DIVERGING[theme];
  const cone = hovered ?? active;
  const scroller = useRef<HTMLDivElement>(null);
  const beginning = Math.max(0, firstDifference(texts) - COLUMNS_BEFORE);
  // A template and a system prompt are as long as what is in view, the same in both texts, and carry nothing.
  useEffect(() => {
    const [label, cell] = ["[role=rowheader]", `[data-pair="${beginning}"]`].map((selector) =>
      scroller.current?.querySelector(selector)?.getBoundingClientRect(),
    );
    if (scroller.current !== null && label !== undefined && cell !== undefined) {
      scroller.current.scrollLeft += cell.left - label.right;
    }
  }, [beginning, pairs.length]);
  const chosenId = chosen === null ? null : `${id}-${chosen.layer}-${chosen.pair}`;
  const movedId = moved === null ? null : `${id}-${active.layer}-${active.pair}`;
  useEffect(() => {
    const followed = movedId ?? chosenId;
    if (followed !== null) intoView(followed);
  }, [movedId, chosenId]);

  const patch = (from: GridPlace, to: GridPlace): void => {
    const [source, target] = [pairs[from.pair], pairs[to.pair]];
    setMoved(to);
    setPicked(null);
    if (source !== undefined && target !== undefined) {
      onPatch({ layer: from.layer, a: source[0], b: target[1] });
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    if (event.key === "Enter" || event.key === " ") patch(active, active);
    else if (event.key === "p") {
      if (picked === null) setPicked(active);
      else patch(picked, { layer: picked.layer, pair: active.pair });
    } else if (event.key === "Escape" && picked !== null) setPicked(null);
    else {
      const next = placeAfterKey(event.key, active, nLayers, pairs.length);
      if (next === null) return;
      setMoved(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onPointerDown = (event: PointerEvent): void => {
    pressed.current = placeUnder(event);
  };
  const onPointerMove = (event: PointerEvent): void => {
    // A finger is over a cell only while it drags one.
    setHovered(event.pointerType === "touch" && pressed.current === null ? null : placeUnder(event));
  };
  const letGo = (): void => {
    setHovered(null);
    pressed.current = null;
  };
  const onPointerUp = (event: PointerEvent): void => {
    const [from, to] = [pressed.current, placeUnder(event)];
    pressed.current = null;
    if (event.pointerType === "touch") setHovered(null);
    if (from !== null && to !== null) patch(from, { layer: from.layer, pair: to.pair });
  };
  const source = picked === null ? undefined : a.tokens[pairs[picked.pair]?.[0] ?? -1];
  return (
    <>
      {!hasNumbers && (
        <div className="flex px-3 pb-1">
          <Legend
            metric={{ title: "Score", unit, explanation: unit, isSigned: true }}
            scale={SCORE_SCALE}
            ramp={ramp}
            second={null}
            nClipped={0}
          />
        </div>
      )}
      <div ref={scroller} className="scroll-pl-12 overflow-x-auto pr-3">
        <div
          role="grid"
          aria-label="Causal map: layers by positions, coloured by score"
          aria-activedescendant={`${id}-${active.layer}-${active.pair}`}
          tabIndex={0}
          onFocus={({ currentTarget }) => {
            if (currentTarget.matches(":focus-visible")) intoView(`${id}-${active.layer}-${active.pair}`);
          }}
          onKeyDown={onKeyDown}
          onPointerMove={onPointerMove}
          onPointerLeave={letGo}
          onPointerCancel={letGo}
          onPointerDown={onPointerDown}
          onPointerUp={onPointerUp}
          className="group/grid grid w-full cursor-pointer gap-px font-mono text-cell select-none focus-visible:outline-none"
          style={{
            gridTemplateColumns: `max-content repeat(${pairs.length}, ${hasNumbers ? "minmax(2.1rem, 3.25rem)" : "1.7rem"})`,
          }}
        >
          {(["a", "b"] as const).map((side) => (
            <div key={side} role="row" className="col-span-full grid cursor-default grid-cols-subgrid">
              <span
                role="columnheader"
                className="sticky left-0 z-3 bg-raised pr-2 pl-3 font-sans text-muted"
              >
                {side === "a" ? "A" : "B"}
              </span>
              {pairs.map(([ofA, ofB], pair) => {
                const token = side === "a" ? a.tokens[ofA] : b.tokens[ofB];
                return (
                  <span
                    key={pair}
                    role="columnheader"
                    title={token === undefined ? undefined : cellText(token)}
                    className={clsx(
                      // Of three letters, two dots would leave one.
                      hasNumbers ? "truncate px-0.5" : "overflow-hidden px-0.5 whitespace-nowrap",
                      a.tokens[ofA]?.id === b.tokens[ofB]?.id ? "text-muted" : "font-semibold",
                    )}
                  >
                    {token === undefined ? "" : cellText(token)}
                  </span>
                );
              })}
            </div>
          ))}
          {rows.map(({ layer, scores }) => (
            <div key={layer} role="row" className="col-span-full grid grid-cols-subgrid">
              <span
                role="rowheader"
                aria-label={`Layer ${layer}`}
                className="sticky left-0 z-3 flex items-center justify-end bg-raised pr-2 pl-3 text-muted"
              >
                {layer}
              </span>
              {pairs.map((_, pair) => {
                const score = scores[pair] ?? null;
                const step = score === null ? null : rampStep(SCORE_SCALE, Math.min(1, Math.max(-1, score)));
                const place = { layer, pair };
                const words = `Layer ${layer}, ${nameOf(texts, pair)}: ${score === null ? "not computed" : `score ${formatScore(score)}`}`;
                return (
                  <span
                    key={pair}
                    id={`${id}-${layer}-${pair}`}
                    role="gridcell"
                    aria-label={words}
                    title={hasNumbers ? undefined : words}
                    aria-selected={isSame(chosen, place)}
                    data-layer={layer}
                    data-pair={pair}
                    className={clsx(
                      "relative flex h-5 items-center justify-center overflow-hidden forced-color-adjust-none pointer-coarse:h-7",
                      step === null && "bg-sunken",
                      isInCone(cone, place) && "shadow-[inset_0_0_0_1px_var(--line-strong)]",
                      // A finger scrolls the map from any other cell, and drags this one.
                      isSame(chosen, place) && "z-1 touch-none shadow-[0_0_0_2px_var(--accent)]",
                      isSame(picked, place) && "z-1 outline-2 outline-dashed outline-accent",
                      isSame(active, place) &&
                        "group-focus-visible/grid:z-2 group-focus-visible/grid:outline-3 outline-focus",
                    )}
                    style={
                      step === null ? undefined : { backgroundColor: ramp.fill[step], color: ramp.ink[step] }
                    }
                  >
                    {/* Exactly nothing is another finding than hardly anything. */}
                    {hasNumbers && score !== null && (score === 0 ? "0" : cellScore(score))}
                  </span>
                );
              })}
            </div>
          ))}
        </div>
        <p role="status" className="sticky left-0 min-h-5 pt-1 pl-3 text-cell text-muted">
          {source !== undefined && picked !== null
            ? `Layer ${picked.layer} of “${cellText(source)}” is picked up. Press p on the position that it is put into, or Escape.`
            : ""}
        </p>
      </div>
    </>
  );
});

const intoView = (cellId: string): void =>
  document.getElementById(cellId)?.scrollIntoView({ block: "nearest", inline: "nearest" });

const isSame = (a: GridPlace | null, b: GridPlace): boolean => a?.layer === b.layer && a.pair === b.pair;

/** As programs write it, `.57` and `-.01`: so as many columns as possible are in view. */
const cellScore = (score: number): string => formatScore(score).replace(/^(\D?)0\./, "$1.");

const within = (place: GridPlace | null, nLayers: number, nPairs: number): GridPlace | null =>
  place !== null && place.layer <= nLayers && place.pair < nPairs ? place : null;

function nameOf({ pairs, a, b }: PatchTexts, pair: number): string {
  const [ofA = -1, ofB = -1] = pairs[pair] ?? [];
  const [tokenA, tokenB] = [a.tokens[ofA], b.tokens[ofB]];
  if (tokenA === undefined || tokenB === undefined) return "";
  return tokenA.id === tokenB.id
    ? `“${cellText(tokenA)}”`
    : `“${cellText(tokenA)}” in A, “${cellText(tokenB)}” in B`;
}

/** A finger keeps to the cell that it pressed, so the cell below it is looked up. */
function placeUnder({ target, pointerType, clientX, clientY }: PointerEvent): GridPlace | null {
  const under = pointerType === "touch" ? document.elementFromPoint(clientX, clientY) : target;
  const cell = under instanceof Element ? under.closest("[data-layer]") : null;
  return cell === null
    ? null
    : { layer: Number(cell.getAttribute("data-layer")), pair: Number(cell.getAttribute("data-pair")) };
}
