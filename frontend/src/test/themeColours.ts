/** Colours of the style sheet's themes, as they are written. */
import { hexOf } from "@/charts/colour/oklab";
import css from "@/styles/app.css?raw";

const [light = "", dark = ""] = css.split(":root[data-theme");

/** For `describe.each`: a theme's name, and a function from a custom property to its colour. */
export const THEMES = [
  ["light", colours(light)],
  ["dark", colours(dark)],
] as const;

function colours(theme: string): (name: string) => string {
  return (name) => {
    const found = new RegExp(`--${name}: oklch\\(([\\d.]+) ([\\d.]+) ([\\d.]+)\\)`).exec(theme);
    const [lightness, chroma, hue] = (found ?? []).slice(1).map(Number);
    if (lightness === undefined || chroma === undefined || hue === undefined) throw new Error(`no ${name}`);
    return hexOf(lightness, chroma, hue);
  };
}
