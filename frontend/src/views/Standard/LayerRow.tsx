import clsx from "clsx";
import { type ReactNode, useEffect, useRef } from "react";
import { layerTitle } from "@/model/layers";
import { ROLES, type RowLayout, rowGrid } from "./rowLayout";

interface LayerRowProps {
  readonly layer: number;
  readonly label: string;
  readonly isSelected: boolean;
  readonly layout: RowLayout;
  readonly onSelect: (layer: number) => void;
  readonly children: ReactNode;
}

/** Rows without text are numbered every so often. */
const NUMBERED = 5;

export function LayerRow({ layer, label, isSelected, layout, onSelect, children }: LayerRowProps) {
  const row = useRef<HTMLTableRowElement>(null);
  // The selection may come from a key or from another view.
  useEffect(() => {
    if (isSelected) row.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  return (
    // The whole row takes the pointer; the button in its head does the same for the keyboard.
    <tr
      {...ROLES.row}
      ref={row}
      data-part="layer"
      aria-current={isSelected ? "true" : undefined}
      onClick={() => onSelect(layer)}
      style={{ height: layout.rowHeight }}
      className={clsx(
        rowGrid(layout),
        "scroll-mt-10 cursor-pointer overflow-hidden border-b border-line shadow-[inset_3px_0_0_transparent]",
        isSelected ? "bg-accent-soft shadow-[inset_3px_0_0_var(--accent)]" : "hover:bg-hover",
      )}
    >
      <th {...ROLES.rowHeader} scope="row" className="h-full font-normal [grid-area:layer]">
        <button
          type="button"
          aria-pressed={isSelected}
          aria-label={layerTitle(layer)}
          className={clsx(
            "block h-full w-full rounded-mark text-left font-mono text-label leading-none",
            isSelected ? "font-medium text-accent" : "text-muted",
          )}
        >
          <span className={clsx(!layout.hasText && !isSelected && layer % NUMBERED !== 0 && "sr-only")}>
            {label}
          </span>
        </button>
      </th>
      {children}
    </tr>
  );
}
