/** Text of the heatmap that is drawn in the theme's colours, not in a ramp's. */
import { describe, expect, test } from "vitest";
import { contrast } from "@/charts/colour/colour";
import { THEMES } from "@/test/themeColours";

describe.each(THEMES)("in the %s theme", (_, colourOf) => {
  test.each([
    ["a cell without a value", "text-quiet", "surface-sunken"],
    ["a column head", "text", "surface-raised"],
    ["a quiet line of a head", "text-quiet", "surface-raised"],
    ["the head of the selected column", "text", "selected"],
    ["a head in the range", "text", "accent-soft"],
  ])("the text of %s has at least 4.5:1", (__, ink, ground) => {
    expect(contrast(colourOf(ink), colourOf(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test("the two lines of an outline differ by 9:1, so that one of them has 3:1 on any cell", () => {
    expect(contrast(colourOf("text"), colourOf("surface-raised"))).toBeGreaterThanOrEqual(9);
  });
});
