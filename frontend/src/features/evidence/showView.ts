/** Opens a view from inside the page, where no view is at hand. */
import { useEffect } from "react";

let opener: (viewId: string) => void = () => undefined;

export const showView = (viewId: string): void => opener(viewId);

/** The page's own way to open a view. */
export function useViewOpener(open: (viewId: string) => void): void {
  useEffect(() => {
    opener = open;
  }, [open]);
}
