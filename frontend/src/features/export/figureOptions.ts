/** How figures are wanted: remembered by the browser, for all views. */
import type { FigureStyle } from "@/charts/figure/figure";
import { FIGURE_SIZES, type FigureSize } from "@/charts/figure/size";
import { readStored, writeStored } from "@/base/stored";

export const FIGURE_COLOURS = ["light", "dark", "transparent"] as const;
export type FigureColours = (typeof FIGURE_COLOURS)[number];

export interface FigureOptions {
  readonly size: FigureSize;
  readonly colours: FigureColours;
  readonly hasTitle: boolean;
  readonly hasCaption: boolean;
}

const KEY = "figure";
const DEFAULTS: FigureOptions = { size: "column", colours: "light", hasTitle: true, hasCaption: true };

export const readFigureOptions = (): FigureOptions => readStored(KEY, parsed, DEFAULTS);

export const rememberFigureOptions = (options: FigureOptions): void => writeStored(KEY, options);

/** Each part that is not as it should be takes its default. */
function parsed(value: unknown): FigureOptions | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { size, colours, hasTitle, hasCaption }: Readonly<Record<string, unknown>> = { ...value };
  return {
    size: FIGURE_SIZES.find((each) => each === size) ?? DEFAULTS.size,
    colours: FIGURE_COLOURS.find((each) => each === colours) ?? DEFAULTS.colours,
    hasTitle: typeof hasTitle === "boolean" ? hasTitle : DEFAULTS.hasTitle,
    hasCaption: typeof hasCaption === "boolean" ? hasCaption : DEFAULTS.hasCaption,
  };
}

/** A transparent figure has the light theme's ink. */
export const styleOf = (
  { size, colours, hasTitle, hasCaption }: FigureOptions,
  columns: FigureStyle["columns"],
): FigureStyle => ({
  size,
  hasTitle,
  hasCaption,
  columns,
  theme: colours === "dark" ? "dark" : "light",
  isTransparent: colours === "transparent",
});
