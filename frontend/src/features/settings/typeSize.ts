/** How large everything on the page is, in percent. `public/theme.js` sets it before the first paint. */
import { useSyncExternalStore } from "react";
import { writeStored } from "@/base/stored";

export const TYPE_SIZES = ["100", "125", "150"] as const;
export type TypeSize = (typeof TYPE_SIZES)[number];

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function currentSize(): TypeSize {
  const set = document.documentElement.dataset["type"];
  return TYPE_SIZES.find((size) => size === set) ?? "100";
}

export function useTypeSize(): TypeSize {
  return useSyncExternalStore(subscribe, currentSize);
}

export function setTypeSize(size: TypeSize): void {
  document.documentElement.dataset["type"] = size;
  writeStored("type", size);
  for (const listener of listeners) listener();
  // Charts and grids that measure themselves draw again.
  window.dispatchEvent(new Event("resize"));
}
