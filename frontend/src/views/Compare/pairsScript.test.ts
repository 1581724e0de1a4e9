import { expect, test } from "vitest";
import { exportFile } from "@/features/export/exportFile";
import { exportSource } from "@/test/exportSource";
import { madeUpTokens } from "@/test/lensData";
import { MODEL } from "@/test/server";
import { scriptIds, scriptRows } from "@/test/scriptRows";
import { pairsScript } from "./pairsScript";

const a = madeUpTokens(20);
const b = madeUpTokens(9).toReversed();
const script = pairsScript(
  {
    lens: "logit",
    tokens: a,
    probabilities: [{ position: 3, layer: 1, tokenIds: [7, 9], probability: 0.1, rank: null }],
  },
  {
    lens: "tuned",
    tokens: b,
    probabilities: [{ position: 5, layer: 2, tokenIds: [8], probability: 0.25, rank: 1 }],
  },
  [
    {
      position: 6,
      layer: 1,
      otherPosition: 4,
      otherLayer: 2,
      klToOtherNats: 0.5,
      klFromOtherNats: 0.25,
      jsNats: 0.125,
    },
  ],
  MODEL,
);

test("the script holds the ids of both, each up to the last position read of it", () => {
  expect(scriptIds(script)).toEqual(a.slice(0, 7).map(({ id }) => id));
  expect(scriptIds(script, "OTHER_TOKEN_IDS")).toEqual(b.slice(0, 6).map(({ id }) => id));
});

test("and every number of both and of the two together", () => {
  expect(scriptRows(script, "PROBABILITIES")).toEqual([[3, 1, [7, 9], 0.1, null]]);
  expect(scriptRows(script, "OTHER_PROBABILITIES")).toEqual([[5, 2, [8], 0.25, 1]]);
  expect(scriptRows(script, "PAIRS")).toEqual([[6, 1, 4, 2, 0.5, 0.25, 0.125]]);
  expect(script.nNumbers).toBe(3);
  expect(script.run).toContain("compare_pairs(captured, logit_lens, other_captured, tuned_lens, PAIRS)");
});

test("the file of the lens is asked for once, whichever side it is of", () => {
  const viewExport = {
    title: "Two",
    facts: [],
    place: "0",
    table: { columns: [], rows: [] },
    columns: null,
    draw: () => ({ width: 1, height: 1, svg: "" }),
    places: [],
    script: () => script,
  };
  const { text } = exportFile("py", viewExport, exportSource(a));
  expect(text.match(/^TUNED_LENS_FILE = sys\.argv\[2\]/gm)).toHaveLength(1);
  expect(text).toMatch(/^import math\nimport sys\n\nimport nnsight$/m);
});
