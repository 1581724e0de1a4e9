import { describe, expect, test } from "vitest";
import type { components } from "@/types/api";
import { LensColumns } from "./columns";

type LensReadResponse = components["schemas"]["LensReadResponse"];

const LAYERS = 3;

/** Read-outs whose every number tells where it came from; a timeline of `length` tokens. */
function response(start: number, end: number, length: number): LensReadResponse {
  const positions = Array.from({ length: end - start }, (_, i) => start + i);
  const layers = Array.from({ length: LAYERS }, (_, layer) => layer);
  const grid = <T>(value: (layer: number, position: number) => T): T[][] =>
    layers.map((layer) => positions.map((position) => value(layer, position)));
  const isLast = (position: number) => position === length - 1;
  return {
    model: "tiny",
    model_identity: { name: "tiny", revision: "abc", source: "hub" },
    kind: "logit",
    layers,
    labels: ["embed", "1", "2"],
    tokens: [],
    positions,
    fired: [],
    top_ids: grid((layer, position) => [10 * position + layer, 7]),
    top_probabilities: grid((layer, position) => [0.5 + layer / 10, 0.001 * position]),
    vocabulary_bytes: {},
    vocabulary: {
      7: " seven",
      ...Object.fromEntries(
        positions.flatMap((position) =>
          layers.map((layer) => [10 * position + layer, `t${position}.${layer}`]),
        ),
      ),
    },
    entropy_nats: grid((layer, position) => position + layer / 8),
    kl_to_final_nats: grid((layer, position) => position * (LAYERS - 1 - layer)),
    next_probability: grid((layer, position) => (isLast(position) ? null : 0.25 / (1 + layer))),
    next_rank: grid((layer, position) => (isLast(position) ? null : 100 + layer + position)),
    targets: [],
  };
}

describe("columns of read-outs", () => {
  test("give back each cell as it came", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(2, 5, 10));
    expect(columns.cell(3, 1)).toEqual({
      position: 3,
      layer: 1,
      predictions: [
        { tokenId: 31, text: "t3.1", probability: expect.closeTo(0.6) as number },
        { tokenId: 7, text: " seven", probability: expect.closeTo(0.003) as number },
      ],
      entropyNats: 3.125,
      klToFinalNats: 3,
      nextProbability: 0.125,
      nextRank: 104,
    });
    expect(columns.topId(4, 2)).toBe(42);
    expect(columns.layers).toEqual([0, 1, 2]);
  });

  test("know nothing of positions that were not read", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(2, 5, 10));
    expect(columns.cell(1, 1)).toBeNull();
    expect(columns.cell(3, LAYERS)).toBeNull();
    expect(columns.topId(9, 0)).toBe(-1);
    expect(columns.entropyNats(0, 0)).toBeNaN();
  });

  test("keep what they hold while they grow", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(0, 3, 1000));
    columns.mergeResponse(response(900, 964, 1000));
    expect(columns.cell(2, 2)?.nextRank).toBe(104);
    expect(columns.cell(963, 0)?.predictions[0]?.text).toBe("t963.0");
  });

  test("have no next token at the end of the timeline, and ask again once there is one", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(0, 4, 4));
    expect(columns.cell(3, 0)).toMatchObject({ nextProbability: null, nextRank: null });
    expect(columns.nextRank(3, 0)).toBeNaN();
    expect(columns.nextGap(4, 64, null)).toBeNull();
    expect(columns.nextGap(6, 64, null)).toEqual({ start: 3, end: 6 });
    columns.mergeResponse(response(3, 6, 6));
    expect(columns.cell(3, 0)?.nextRank).toBe(103);
    expect(columns.nextGap(6, 64, null)).toBeNull();
  });

  test("ask for what is seen first, then for the newest", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(10, 20, 100));
    expect(columns.nextGap(100, 8, { start: 12, end: 40 })).toEqual({ start: 20, end: 28 });
    expect(columns.nextGap(100, 8, { start: 6, end: 15 })).toEqual({ start: 6, end: 10 });
    expect(columns.nextGap(100, 8, { start: 12, end: 18 })).toEqual({ start: 92, end: 100 });
    expect(columns.nextGap(100, 8, null)).toEqual({ start: 92, end: 100 });
    expect(columns.readCount(100)).toBe(10);
  });

  test("fill every gap once, whatever the order", () => {
    const columns = new LensColumns();
    let requests = 0;
    for (let gap = columns.nextGap(150, 64, null); gap !== null; gap = columns.nextGap(150, 64, null)) {
      columns.mergeResponse(response(gap.start, gap.end, 150));
      requests += 1;
    }
    expect([requests, columns.readCount(150)]).toEqual([3, 150]);
  });

  test("take the read-outs that came with a token as those of the position before it", () => {
    const columns = new LensColumns();
    const version = columns.version;
    columns.mergeTokenLens(
      5,
      ["embed", "1", "2"].map((label, layer) => ({
        layer,
        label,
        predictions: [{ token_id: 40 + layer, text: `p${layer}`, probability: 0.5, rank: 1 }],
        entropy_nats: layer,
        kl_to_final_nats: 2 - layer,
        actual: { probability: 0.125, rank: 9 },
      })),
    );
    expect(columns.version).not.toBe(version);
    expect(columns.cell(4, 1)).toEqual({
      position: 4,
      layer: 1,
      predictions: [{ tokenId: 41, text: "p1", probability: 0.5 }],
      entropyNats: 1,
      klToFinalNats: 1,
      nextProbability: 0.125,
      nextRank: 9,
    });
    expect(columns.isRead(5)).toBe(false);
  });

  test("ignore read-outs of the first token, which nothing predicted", () => {
    const columns = new LensColumns();
    columns.mergeTokenLens(0, []);
    expect([columns.layers, columns.version]).toEqual([[], 0]);
  });

  test("refuse read-outs of another model's depth", () => {
    const columns = new LensColumns();
    columns.mergeResponse(response(0, 2, 4));
    expect(() => columns.mergeResponse({ ...response(2, 3, 4), layers: [0, 1] })).toThrow(
      "Read-outs of 2 layers do not fit a timeline read at 3.",
    );
  });
});

test("a layer that there is not has no cell, least of all one of the next position", () => {
  const columns = new LensColumns();
  columns.mergeResponse(response(0, 3, 10));
  const n = columns.layers.length;
  expect([columns.topId(0, n), columns.cell(0, n), columns.topId(0, -1)]).toEqual([-1, null, -1]);
  expect([columns.entropyNats(0, n), columns.nextRank(0, n)]).toEqual([Number.NaN, Number.NaN]);
});
