/** Light or dark: the person's choice, else the system's. `public/theme.js` sets `data-theme` before the first paint. */
import { create } from "zustand";
import { readStored, writeStored } from "@/base/stored";

export type Theme = "light" | "dark";

const parseTheme = (stored: unknown): Theme | undefined =>
  stored === "light" || stored === "dark" ? stored : undefined;

/** The theme in use; changes re-render, so that a canvas can be drawn in the new colours. */
export const useTheme = create<Theme>(() =>
  document.documentElement.dataset["theme"] === "dark" ? "dark" : "light",
);

function show(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  useTheme.setState(theme);
}

export function setTheme(theme: Theme): void {
  show(theme);
  writeStored("theme", theme);
}

/** Changes with the system while the page is open, unless the person has chosen. */
export function followSystemTheme(): void {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    if (readStored<Theme | null>("theme", parseTheme, null) === null) show(matches ? "dark" : "light");
  });
}
