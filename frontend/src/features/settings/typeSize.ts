/** How large everything on the page is, in percent. `public/theme.js` sets it before the first paint. */
import { create } from "zustand";
import { writeStored } from "@/base/stored";

export const TYPE_SIZES = ["100", "125", "150"] as const;
export type TypeSize = (typeof TYPE_SIZES)[number];

export const useTypeSize = create<TypeSize>(() => {
  const set = document.documentElement.dataset["type"];
  return TYPE_SIZES.find((size) => size === set) ?? "100";
});

export function setTypeSize(size: TypeSize): void {
  document.documentElement.dataset["type"] = size;
  writeStored("type", size);
  useTypeSize.setState(size);
  // Charts and grids that measure themselves draw again.
  window.dispatchEvent(new Event("resize"));
}
