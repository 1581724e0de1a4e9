/** Words of the Layers view on every ground that they can have. */
import { describe, expect, test } from "vitest";
import { contrast } from "@/charts/colour/colour";
import { SIGNED_TINT_GRADIENT } from "@/features/transcript/signedTint";
import { THEMES } from "@/test/themeColours";

/** What `part` of one colour over another looks like, 0 to 1. */
const over = (top: string, ground: string, part: number): string =>
  `#${[1, 3, 5]
    .map((at) => {
      const channel = (hex: string): number => Number.parseInt(hex.slice(at, at + 2), 16);
      const mixed = Math.round(part * channel(top) + (1 - part) * channel(ground));
      return mixed.toString(16).padStart(2, "0");
    })
    .join("")}`;

describe.each(THEMES)("in the %s theme", (_, colourOf) => {
  test.each([
    ["a word that differs", "text-muted", "surface-raised"],
    ["the first token", "text-quiet", "surface-raised"],
    ["what stands in the text, under the pointer", "text-muted", "surface-hover"],
    ["a word that is selected", "text", "selected"],
  ])("the text of %s has at least 4.5:1", (__, ink, ground) => {
    expect(contrast(colourOf(ink), colourOf(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["surface-raised", "surface-hover"])(
    "a tinted word on %s has at least 4.5:1 at every strength",
    (name) => {
      const tints = [...SIGNED_TINT_GRADIENT.matchAll(/var\(--([\w-]+)\) (\d+)%/g)];
      expect(new Set(tints.map(([, hue]) => hue))).toEqual(new Set(["data-tint", "data-tint-negative"]));
      expect(Math.max(...tints.map(([, , percent]) => Number(percent)))).toBeGreaterThan(50);
      for (const [, hue = "", percent] of tints) {
        const ground = over(colourOf(hue), colourOf(name), Number(percent) / 100);
        expect(contrast(colourOf("text"), ground)).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  test.each(["accent", "data-bar", "line-strong"])("a mark in %s has at least 3:1", (name) => {
    expect(contrast(colourOf(name), colourOf("surface-raised"))).toBeGreaterThanOrEqual(3);
  });
});
