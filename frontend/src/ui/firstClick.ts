import type { MouseEvent } from "react";

/**
 * Not the second click of a double-click: that was meant for the button in whose place this one appeared.
 * A key counts as no click at all.
 */
export const firstClick =
  (action: () => void) =>
  ({ detail }: MouseEvent): void => {
    if (detail < 2) action();
  };
