import { describe, expect, test } from "vitest";
import type { Scale } from "@/charts/colour/colour";
import { LensColumns } from "@/reading/columns";
import { RankColumns } from "@/reading/rankColumns";
import { idOf, madeUpLens, madeUpTokens } from "@/test/lensData";
import { type Answer, lensCells } from "@/views/Heatmap/lensCells";
import { METRICS } from "@/views/Heatmap/metrics";
import { CellLooks, OutlinedCells } from "./cellLooks";
import { everyLayer } from "@/model/layers";
import { stridedLayers } from "./geometry";

const tokens = madeUpTokens(30);
const lens = madeUpLens(tokens, { positions: [0, 25] });
const columns = new LensColumns();
columns.mergeResponse(lens);
const [metric] = METRICS;
const PLAIN: Scale = { kind: "linear", dark: 0, bright: 1 };

interface Change {
  readonly layers?: readonly number[];
  readonly scale?: Scale;
  readonly answer?: Answer;
}

function looksWith({
  layers = stridedLayers(everyLayer(12, false), 1),
  scale = PLAIN,
  answer = "off",
}: Change = {}): CellLooks {
  const tokenIds = tokens.map((token) => token.id);
  return new CellLooks({ cells: lensCells({ columns, metric, answer, tokenIds }), layers, scale });
}

const cells = (looks: CellLooks) =>
  Array.from({ length: looks.nPositions }, (_, position) => position).flatMap((position) =>
    Array.from({ length: looks.nRows }, (_, row) => ({ position, row, layer: 12 - row })),
  );

describe("a cell", () => {
  test("has its value's step on the ramp, rows counted from the output", () => {
    const looks = looksWith();
    const places: readonly (readonly [number, number, number])[] = [
      [3, 0, 12],
      [3, 12, 0],
      [20, 5, 7],
    ];
    for (const [position, row, layer] of places) {
      const probability = lens.top_probabilities[layer]?.[position]?.[0] ?? 0;
      expect(looks.step(position, row)).toBe(Math.round(255 * probability));
      expect(looks.hasValue(position, row)).toBe(true);
    }
  });

  test("that is not read has no value, no answer and is not clipped", () => {
    const looks = looksWith({ answer: "actual" });
    expect(looks.isRead(24)).toBe(true);
    expect([looks.isRead(25), looks.hasValue(25, 0), looks.isAnswer(25, 0)]).toEqual([false, false, false]);
  });

  test("is where its layer is when only some layers are shown", () => {
    const few = looksWith({ layers: stridedLayers(everyLayer(12, false), 4) });
    const all = looksWith();
    expect(few.nRows).toBe(4);
    expect(few.step(3, 1)).toBe(all.step(3, 4));
  });
});

describe("the second hue", () => {
  test("goes to the cells whose first choice is the output's, the output itself among them", () => {
    const looks = looksWith({ answer: "output" });
    const answered = cells(looks).filter(({ position, row }) => looks.isAnswer(position, row));
    const expected = cells(looks).filter(
      ({ position, layer }) =>
        lens.top_ids[layer]?.[position] !== undefined &&
        lens.top_ids[layer][position][0] === lens.top_ids[12]?.[position]?.[0],
    );
    expect(answered).toEqual(expected);
    expect(expected.length).toBeGreaterThan(25);
    expect(expected.length).toBeLessThan(25 * 13);
  });

  test("or to those whose first choice is the token that follows", () => {
    const looks = looksWith({ answer: "actual" });
    const answered = cells(looks).filter(({ position, row }) => looks.isAnswer(position, row));
    const expected = cells(looks).filter(
      ({ position, layer }) =>
        lens.top_ids[layer]?.[position]?.[0] === tokens[position + 1]?.id && position < 25,
    );
    expect(answered).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
  });

  test("goes to none when it is off", () => {
    const looks = looksWith();
    expect(cells(looks).some(({ position, row }) => looks.isAnswer(position, row))).toBe(false);
  });
});

test("the corner marks the first choices that are the token which follows, whatever takes the second hue", () => {
  const looks = looksWith();
  const marked = cells(looks).filter(({ position, row }) => looks.isMarked(position, row));
  const expected = cells(looks).filter(
    ({ position, layer }) =>
      lens.top_ids[layer]?.[position]?.[0] === tokens[position + 1]?.id && position < 25,
  );
  expect(marked).toEqual(expected);
  expect(expected.length).toBeGreaterThan(0);
});

test("values beyond either end are clipped and counted, those at an end are not", () => {
  const probability = lens.top_probabilities[12]?.[3]?.[0] ?? 0;
  const looks = looksWith({ scale: { kind: "linear", dark: 0.05, bright: probability } });
  expect(looks.isClipped(3, 0)).toBe(false);
  const beyond = cells(looks).filter(({ position, layer }) => {
    const value = lens.top_probabilities[layer]?.[position]?.[0];
    return value !== undefined && (value < 0.05 || value > probability);
  });
  expect(beyond.length).toBeGreaterThan(0);
  expect(cells(looks).filter(({ position, row }) => looks.isClipped(position, row))).toEqual(beyond);
  expect(looks.nClipped).toBe(beyond.length);
});

test("an outline goes around the cells where the token's rank is small enough, and no other", () => {
  const answer = madeUpLens(tokens, { positions: [0, 25], targets: [idOf(" Paris")] });
  const ranks = new RankColumns(idOf(" Paris"));
  ranks.mergeResponse(answer);
  const expected = (answer.targets[0]?.rank ?? []).flat().filter((rank) => rank <= 10).length;
  const outlined = new OutlinedCells(ranks, 30, stridedLayers(everyLayer(12, false), 1), 10);
  expect([outlined.nInside, outlined.nRead]).toEqual([expected, 25 * 13]);
  expect(expected).toBeGreaterThan(0);
  for (let position = 0; position < 25; position += 1) {
    for (let row = 0; row < 13; row += 1) {
      const rank = answer.targets[0]?.rank[12 - row]?.[position] ?? 0;
      expect(outlined.has(position, row)).toBe(rank <= 10);
    }
  }
  expect([outlined.has(0, -1), outlined.has(-1, 0), outlined.has(25, 0), outlined.has(3, 13)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
