/** How wide a figure is where it will stand, and how large its type is there. Lengths are in points. */

export const FIGURE_SIZES = ["column", "page", "slide"] as const;
export type FigureSize = (typeof FIGURE_SIZES)[number];

interface SizeFacts {
  readonly label: string;
  readonly widthMm: number;
  /** A taller figure does not fit where it is meant to stand. */
  readonly maxHeightMm: number;
  /** Points of the slide for one point of the layout: a slide is read from further away. */
  readonly magnification: number;
  readonly dotsPerInch: number;
}

export const SIZE_FACTS: Readonly<Record<FigureSize, SizeFacts>> = {
  column: { label: "Column", widthMm: 85, maxHeightMm: 240, magnification: 1, dotsPerInch: 300 },
  page: { label: "Page", widthMm: 170, maxHeightMm: 240, magnification: 1, dotsPerInch: 300 },
  // 13⅓ × 7½ inches, 960 × 540 px at 72 dpi; in pixels at 2×.
  slide: { label: "Slide", widthMm: 338.667, maxHeightMm: 190.5, magnification: 2, dotsPerInch: 144 },
};

export const POINTS_PER_MM = 72 / 25.4;

/** Width of the layout, in points. */
export const layoutWidth = (size: FigureSize): number =>
  (SIZE_FACTS[size].widthMm * POINTS_PER_MM) / SIZE_FACTS[size].magnification;

/** Type of a figure. No text may be smaller than 6 pt. */
export const TYPE = { title: 9, body: 7, small: 6.25 } as const;
