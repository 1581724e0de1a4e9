/**
 * The frame around what a view draws for export: title, what was read and how, and where it is from.
 * Always in the light theme, whatever the page's is, and with colours that every program knows.
 */
import { type Attributes, element, escapeXml, textElement, wrapText } from "./svg";

/** A piece of a figure with its size in px, drawn from (0, 0). */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
}

/** The light theme of `styles/app.css` in sRGB: OKLCH is unknown to most programs that read SVG. */
export const PAPER = {
  "surface-raised": "#ffffff",
  "surface-sunken": "#eff1f4",
  text: "#1b2026",
  "text-muted": "#535961",
  "text-quiet": "#676c73",
  line: "#dbdee2",
  "line-strong": "#81878d",
  "data-bar": "#3e8ec1",
  "data-bar-soft": "#cae2f3",
  "data-actual": "#c9690c",
  "data-actual-soft": "#ffe2c6",
  "series-1": "#1762b6",
  "series-2": "#e76c2b",
  "series-3": "#1c7b5a",
  "series-4": "#d84497",
  "series-5": "#622aa1",
  "series-6": "#3f9dbf",
  "series-7": "#897311",
  "series-8": "#791824",
} as const;

const SANS = "'Inter Variable', Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";
const MONO = "'JetBrains Mono', ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/** Attributes of text that is a token or a number. Isolated, so that right-to-left text stays in its place. */
export const DATA: Attributes = { "font-family": MONO, style: "unicode-bidi:isolate" };

/** Characters are drawn as they are: an arrow in place of `->` would be a token that is not there. */
const AS_WRITTEN = "font-variant-ligatures:none;font-feature-settings:'calt' 0,'liga' 0,'clig' 0";

const MARGIN = 24;
/** A figure that is narrower than this has no room for its title. */
const LEAST_WIDTH = 560;
const TITLE = { size: 16, line: 22 } as const;
const FACT = { size: 11, line: 16 } as const;
const NOTE = { size: 10, line: 14 } as const;

export interface FrameText {
  readonly title: string;
  /** Lines under the title: model, lens, metric, place. */
  readonly facts: readonly string[];
  /** Small print at the foot. */
  readonly note: string;
}

/** A whole figure as an SVG document. */
export function framed({ title, facts, note }: FrameText, body: Drawing): Drawing {
  const room = Math.max(LEAST_WIDTH, body.width);
  const texts: string[] = [];
  let y = MARGIN;
  const write = (
    text: string,
    { size, line }: { readonly size: number; readonly line: number },
    attributes: Attributes,
  ): void => {
    for (const each of wrapText(text, size, room)) {
      y += line;
      texts.push(textElement(MARGIN, y - line / 4, each, { "font-size": size, ...attributes }));
    }
  };
  write(title, TITLE, { "font-weight": 600, fill: PAPER.text });
  y += 4;
  for (const fact of facts) write(fact, FACT, { fill: PAPER["text-muted"] });
  y += 16;
  const drawn = element("g", { transform: `translate(${MARGIN} ${y})` }, body.svg);
  y += body.height + 12;
  write(note, NOTE, { fill: PAPER["text-quiet"] });
  const width = Math.ceil(room + 2 * MARGIN);
  const height = Math.ceil(y + MARGIN - 8);
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      "font-family": SANS,
      "font-size": FACT.size,
      style: AS_WRITTEN,
    },
    element("title", {}, escapeXml(title)),
    element("rect", { width, height, fill: PAPER["surface-raised"] }),
    ...texts,
    drawn,
  );
  return { width, height, svg: `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n` };
}

/** A picture or a script that would be too large to be of use; the message says what to take instead. */
export class FigureTooLarge extends Error {
  override readonly name = "FigureTooLarge";
}
