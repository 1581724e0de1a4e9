/** The frame around a view's drawing: its title, and the caption that says what was read, how and from where. */
import type { Span } from "@/base/span";
import { PALETTES, type FigureTheme, type Palette } from "./palette";
import { type FigureSize, POINTS_PER_MM, SIZE_FACTS, TYPE, layoutWidth } from "./size";
import { type Attributes, element, escapeXml, textElement, wrapText } from "./svg";

/** A piece of a figure with its size in points, drawn from (0, 0). */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
}

/** What a view draws for. */
export interface FigureLayout {
  /** Room for the drawing, in points. */
  readonly width: number;
  /** A drawing that can choose should not be higher. */
  readonly maxHeight: number;
  readonly theme: FigureTheme;
  readonly palette: Palette;
  /** The columns that were chosen; null for all, and where there are none to choose. */
  readonly columns: Span | null;
}

const SANS = "'Inter Variable', Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";
const MONO = "'JetBrains Mono', ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/** Attributes of text that is a token or a number. Isolated, so that right-to-left text stays in its place. */
export const DATA: Attributes = { "font-family": MONO, style: "unicode-bidi:isolate" };

/** Characters are drawn as they are: an arrow in place of `->` would be a token that is not there. */
const AS_WRITTEN = "font-variant-ligatures:none;font-feature-settings:'calt' 0,'liga' 0,'clig' 0";

const MARGIN = 6;

export interface FigureText {
  readonly title: string;
  /** Sentences under the figure: the view, the model, the lens, the metric, the place. */
  readonly caption: readonly string[];
}

export interface FigureStyle {
  readonly size: FigureSize;
  readonly theme: FigureTheme;
  readonly isTransparent: boolean;
  readonly hasTitle: boolean;
  readonly hasCaption: boolean;
  readonly columns: Span | null;
}

export interface Figure extends Drawing {
  readonly widthMm: number;
  readonly heightMm: number;
}

/**
 * A whole figure as an SVG document, as wide as its size says. Title and caption are always in its
 * metadata. Throws FigureTooLarge.
 */
export function framed(
  { title, caption }: FigureText,
  draw: (layout: FigureLayout) => Drawing,
  style: FigureStyle,
): Figure {
  const { widthMm, maxHeightMm, magnification } = SIZE_FACTS[style.size];
  const palette = PALETTES[style.theme];
  const width = layoutWidth(style.size);
  const room = width - 2 * MARGIN;
  const texts: string[] = [];
  let y = MARGIN;
  const write = (text: string, size: number, attributes: Attributes): void => {
    for (const each of wrapText(text, size, room)) {
      y += 1.35 * size;
      texts.push(textElement(MARGIN, y - 0.3 * size, each, { "font-size": size, ...attributes }));
    }
  };
  if (style.hasTitle) {
    write(title, TYPE.title, { "font-weight": 600, fill: palette.text });
    y += 5;
  }
  const maxHeight = (maxHeightMm * POINTS_PER_MM) / magnification - y - MARGIN;
  const body = draw({ width: room, maxHeight, theme: style.theme, palette, columns: style.columns });
  const drawn = element("g", { transform: `translate(${MARGIN} ${round(y)})` }, body.svg);
  y += body.height;
  if (style.hasCaption) {
    y += 6;
    write(caption.join(" "), TYPE.body, { fill: palette["text-muted"] });
  }
  const height = y + MARGIN;
  const heightMm = (height * magnification) / POINTS_PER_MM;
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width: `${round(widthMm)}mm`,
      height: `${round(heightMm)}mm`,
      viewBox: `0 0 ${round(width)} ${round(height)}`,
      "font-family": SANS,
      "font-size": TYPE.body,
      style: AS_WRITTEN,
    },
    element("title", {}, escapeXml(title)),
    element("desc", {}, escapeXml(caption.join(" "))),
    style.isTransparent ? "" : element("rect", { width, height, fill: palette["surface-raised"] }),
    ...texts,
    drawn,
  );
  return { width, height, widthMm, heightMm, svg: `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n` };
}

const round = (value: number): number => Math.round(100 * value) / 100;

/** A picture or a script that would be too large to be of use; the message says what to choose instead. */
export class FigureTooLarge extends Error {
  override readonly name = "FigureTooLarge";
}
