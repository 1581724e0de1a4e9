/** Figures of a view as a test reads them. */
import { type FigureLayout, type FigureStyle } from "@/charts/figure/figure";
import { PALETTES } from "@/charts/figure/palette";
import { type FigureSize, layoutWidth } from "@/charts/figure/size";
import { exportFigure } from "@/features/export/exportFigure";
import type { ViewExport } from "@/features/export/viewExport";
import { exportSource } from "./exportSource";

export const figureLayout = (size: FigureSize, theme: "light" | "dark" = "light"): FigureLayout => ({
  width: layoutWidth(size) - 12,
  maxHeight: 600,
  theme,
  palette: PALETTES[theme],
  columns: null,
});

/** The whole figure with title and caption. */
export function parsedFigure(viewExport: ViewExport, style: Partial<FigureStyle>): Document {
  const { svg } = exportFigure(viewExport, exportSource([]), {
    size: "column",
    theme: "light",
    isTransparent: false,
    hasTitle: true,
    hasCaption: true,
    columns: null,
    ...style,
  });
  return new DOMParser().parseFromString(svg, "image/svg+xml");
}

/** Of every text of a figure, in points at the width that it was made for. */
export function typeSizes(figure: Document): number[] {
  const root = figure.documentElement;
  const millimetres = Number(/^([\d.]+)mm$/.exec(root.getAttribute("width") ?? "")?.[1]);
  const width = Number(root.getAttribute("viewBox")?.split(" ")[2]);
  const scale = (millimetres * 72) / 25.4 / width;
  const texts = [...figure.querySelectorAll("text")].filter((each) => each.textContent !== "");
  if (texts.length === 0) throw new Error("the figure has no text");
  return texts.map((each) => scale * Number(each.closest("[font-size]")?.getAttribute("font-size")));
}
