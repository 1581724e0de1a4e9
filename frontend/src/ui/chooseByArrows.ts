import type { KeyboardEvent } from "react";
import { isBrowserCommand } from "@/base/keys";

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
const VERTICAL_STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

/**
 * For the key handler of a tab or a radio button: arrows go round the items of its list, Home and End to
 * its ends, and choose the item that they reach.
 */
export function chooseByArrows(event: KeyboardEvent<HTMLElement>): void {
  if (isBrowserCommand(event)) return;
  const own = event.currentTarget;
  const role = own.getAttribute("role");
  const items = [
    ...(own.closest("[role=tablist], [role=radiogroup]")?.querySelectorAll<HTMLElement>(`[role=${role}]`) ??
      []),
  ];
  const step = STEPS[event.key] ?? (role === "radio" ? VERTICAL_STEPS[event.key] : undefined);
  const place =
    event.key === "Home"
      ? 0
      : event.key === "End"
        ? -1
        : step === undefined
          ? undefined
          : (items.indexOf(own) + step) % items.length;
  const item = place === undefined ? undefined : items.at(place);
  if (item === undefined) return;
  event.preventDefault();
  item.focus();
  item.click();
}
