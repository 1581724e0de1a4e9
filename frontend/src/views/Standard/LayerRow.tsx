import clsx from "clsx";
import type { ReactNode } from "react";
import { ROLES, ROW_GRID } from "./rowLayout";

interface LayerRowProps {
  readonly layer: number;
  readonly label: string;
  readonly isSelected: boolean;
  readonly onSelect: (layer: number) => void;
  readonly children: ReactNode;
}

export function LayerRow({ layer, label, isSelected, onSelect, children }: LayerRowProps) {
  return (
    // The whole row takes the pointer; the button in its head does the same for the keyboard.
    <tr
      {...ROLES.row}
      data-part="layer"
      aria-current={isSelected ? "true" : undefined}
      onClick={() => onSelect(layer)}
      className={clsx(
        ROW_GRID,
        "cursor-pointer border-b border-line py-px shadow-[inset_3px_0_0_transparent]",
        isSelected ? "bg-accent-soft shadow-[inset_3px_0_0_var(--accent)]" : "hover:bg-hover",
      )}
    >
      <th {...ROLES.rowHeader} scope="row" className="font-normal [grid-area:layer]">
        <button
          type="button"
          aria-pressed={isSelected}
          aria-label={layer === 0 ? "embed, layer 0" : `Layer ${label}`}
          className={clsx(
            "min-h-6 w-full pointer-coarse:min-h-[2.625rem] rounded-mark text-left font-mono text-label",
            isSelected ? "font-medium text-accent" : "text-muted",
          )}
        >
          {label}
        </button>
      </th>
      {children}
    </tr>
  );
}
