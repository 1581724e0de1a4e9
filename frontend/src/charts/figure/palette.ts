/**
 * The page's colours for pictures that leave it, in sRGB: most programs that read SVG do not know OKLCH.
 * A test holds them to `styles/app.css`.
 */
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
  "data-plus": "#c66c00",
  "data-minus": "#6741b1",
  "series-1": "#1762b6",
  "series-2": "#e76c2b",
  "series-3": "#1c7b5a",
  "series-4": "#d84497",
  "series-5": "#622aa1",
  "series-6": "#3f9dbf",
  "series-7": "#897311",
  "series-8": "#791824",
} as const;

export type Paint = keyof typeof PAPER;
export type Palette = Readonly<Record<Paint, string>>;
export type FigureTheme = "light" | "dark";

const SCREEN: Palette = {
  "surface-raised": "#181b1f",
  "surface-sunken": "#0a0c0f",
  text: "#e5e8ec",
  "text-muted": "#a6abb1",
  "text-quiet": "#8b9198",
  line: "#2a2e33",
  "line-strong": "#696f77",
  "data-bar": "#478ebc",
  "data-bar-soft": "#1d303e",
  "data-actual": "#e69b4c",
  "data-actual-soft": "#473018",
  "data-plus": "#f19a4b",
  "data-minus": "#9b7be9",
  "series-1": "#4c94ec",
  "series-2": "#f2823b",
  "series-3": "#47c496",
  "series-4": "#e24ea0",
  "series-5": "#9754ed",
  "series-6": "#81d5f0",
  "series-7": "#ebd14d",
  "series-8": "#c43f3e",
};

export const PALETTES: Readonly<Record<FigureTheme, Palette>> = { light: PAPER, dark: SCREEN };
