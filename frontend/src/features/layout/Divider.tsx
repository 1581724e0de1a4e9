import type { KeyboardEvent, PointerEvent } from "react";
import { isBrowserCommand } from "@/base/keys";
import { DEFAULT_SPLIT, SPLIT_LIMITS } from "./preferences";

interface DividerProps {
  readonly percent: number;
  readonly onChange: (percent: number) => void;
}

const STEP = 2;
const clamp = (percent: number): number => Math.min(SPLIT_LIMITS.max, Math.max(SPLIT_LIMITS.min, percent));

/** The border between conversation and evidence; it is dragged, moved by arrow keys, reset by a double click. */
export function Divider({ percent, onChange }: DividerProps) {
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    const area = event.currentTarget.parentElement;
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || area === null) return;
    const box = area.getBoundingClientRect();
    onChange(clamp(((event.clientX - box.left) / box.width) * 100));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const next = percentFor(event.key, percent);
    if (next === null) return;
    event.preventDefault();
    onChange(clamp(next));
  };

  return (
    // A separator that can be moved is a control by ARIA, which the rule does not know.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="separator"
      aria-label="Width of the conversation"
      aria-orientation="vertical"
      aria-valuenow={Math.round(percent)}
      aria-valuemin={SPLIT_LIMITS.min}
      aria-valuemax={SPLIT_LIMITS.max}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      title="Drag to resize; double-click to reset"
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onDoubleClick={() => onChange(DEFAULT_SPLIT.percent)}
      onKeyDown={onKeyDown}
      className="group relative hidden md:block z-sticky -mx-1 w-[9px] shrink-0 cursor-col-resize touch-none outline-offset-0"
    >
      <span className="absolute inset-y-0 left-1 w-px bg-line transition-colors group-hover:bg-accent group-focus-visible:bg-accent" />
    </div>
  );
}

function percentFor(key: string, percent: number): number | null {
  switch (key) {
    case "ArrowLeft":
      return percent - STEP;
    case "ArrowRight":
      return percent + STEP;
    case "Home":
      return SPLIT_LIMITS.min;
    case "End":
      return SPLIT_LIMITS.max;
    case "Enter":
      return DEFAULT_SPLIT.percent;
    default:
      return null;
  }
}
