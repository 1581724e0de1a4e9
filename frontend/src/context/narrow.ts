/** Whether the window is too narrow for columns side by side; the same border as the styles' `md`. */
import { useSyncExternalStore } from "react";

const QUERY = "(width < 48rem)";

function subscribe(onChange: () => void): () => void {
  const list = window.matchMedia(QUERY);
  list.addEventListener("change", onChange);
  return () => list.removeEventListener("change", onChange);
}

export const useIsNarrow = (): boolean =>
  useSyncExternalStore(subscribe, () => window.matchMedia(QUERY).matches);
