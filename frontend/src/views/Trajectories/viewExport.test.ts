import { expect, test } from "vitest";
import { PAPER } from "@/charts/figure/palette";
import { figureLayout } from "@/test/figure";
import { toRecords } from "@/features/export/table";
import { exportSource } from "@/test/exportSource";
import { madeUpTokens } from "@/test/lensData";
import { scriptRows } from "@/test/scriptRows";
import type { Curve } from "./curveMetrics";
import { trajectoriesExport } from "./viewExport";
import { actualSeries, seriesOf } from "./series";

const tokens = madeUpTokens(12);
const POSITION = 4;
const next = tokens[POSITION + 1];
if (next === undefined) throw new Error("nothing follows");
const place = { slot: 0, position: POSITION };
const SOURCE = exportSource(tokens);
const LAYERS = [0, 1];

const curveOf = (tokenId: number): Curve => ({
  tokenId,
  text: tokenId === next.id ? next.text : "other",
  layers: LAYERS,
  probability: [tokenId === next.id ? 0.125 : 0.25, 0.5],
  rank: [3, 1],
});
const pinned = (id: number) =>
  seriesOf([{ slot: 2, tokens: [{ id, text: null }] }], [place], tokens, curveOf);
const exportOf = (series: ReturnType<typeof pinned>, shown = tokens) =>
  trajectoriesExport({ tokens: shown, series, layers: LAYERS, metric: "probability", position: POSITION });

test("the actual token's own line is in the table, the script, the picture and its legend", () => {
  const { table, script, facts, draw } = exportOf([actualSeries(next, place, curveOf), ...pinned(100_000)]);
  expect(
    toRecords(table).map((row) => [
      row["line"],
      row["token_ids"],
      row["is_actual"],
      row["layer"],
      row["probability"],
    ]),
  ).toEqual([
    [1, String(next.id), 1, 0, 0.125],
    [1, String(next.id), 1, 1, 0.5],
    [2, "100000", 0, 0, 0.25],
    [2, "100000", 0, 1, 0.5],
  ]);
  expect(scriptRows(script(SOURCE), "PROBABILITIES")[0]).toEqual([POSITION, 0, [next.id], 0.125, 3]);
  expect(facts).toContainEqual(
    expect.stringMatching(/^The actual token “.*” \(id \d+\) is the line in ink, with rings$/),
  );
  const { svg } = draw(figureLayout("column"));
  expect(svg.match(/actual, [\d.]+ at the output/g)).toEqual(["actual, 0.500 at the output"]);
  expect(facts).toContainEqual(expect.stringContaining(`(id ${next.id}) 0.500`));
  expect(svg).toMatch(new RegExp(`stroke="${PAPER.text}" stroke-width="1.8"`));
});

test("the line of a pin that is the actual token is outlined and named", () => {
  const { table, facts, draw } = exportOf(pinned(next.id));
  expect(toRecords(table).map((row) => row["is_actual"])).toEqual([1, 1]);
  expect(facts).toContainEqual(expect.stringMatching(/is the line that is outlined in ink$/));
  const { svg } = draw(figureLayout("column"));
  expect(svg).toContain("actual, 0.500 at the output");
  expect(svg.indexOf(`stroke="${PAPER.text}" stroke-width="2.4"`)).toBeGreaterThan(-1);
  expect(svg.indexOf(`stroke="${PAPER.text}" stroke-width="2.4"`)).toBeLessThan(
    svg.indexOf(`stroke="${PAPER["series-3"]}" stroke-width="1.2"`),
  );
});

test("an export without the actual token says so", () => {
  const { facts, draw } = exportOf(pinned(100_000));
  expect(facts).toContainEqual(expect.stringMatching(/ is not among the lines$/));
  expect(draw(figureLayout("column")).svg).not.toContain(`stroke="${PAPER.text}"`);
});

test("where nothing follows there is no actual token to speak of", () => {
  const { table, facts } = exportOf(
    seriesOf([{ slot: 0, tokens: [{ id: 7, text: null }] }], [place], [], curveOf),
    tokens.slice(0, POSITION + 1),
  );
  expect(facts.join()).not.toContain("actual");
  expect(toRecords(table).map((row) => row["is_actual"])).toEqual([null, null]);
});
