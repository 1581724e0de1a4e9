/** Light or dark. `public/theme.js` sets `data-theme` before the first paint; this keeps it and tells who draws by hand. */
import { useSyncExternalStore } from "react";
import { writeStored } from "@/base/stored";

export type Theme = "light" | "dark";

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function currentTheme(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

/** The theme in use; changes re-render, so that a canvas can be drawn in the new colours. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  writeStored("theme", theme);
  for (const listener of listeners) listener();
}
