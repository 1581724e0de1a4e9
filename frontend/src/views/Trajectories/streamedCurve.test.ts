import { expect, test } from "vitest";
import { plotted } from "./curveMetrics";
import { streamedCurve } from "./streamedCurve";

const layerOf = (layer: number, id: number, probability: number) => ({
  layer,
  label: layer === 0 ? "embed" : String(layer),
  predictions: [{ token_id: id, text: ` word ${id}`, probability, rank: 1 }],
  entropy_nats: 1,
  kl_to_final_nats: 0,
  actual: { probability: probability / 2, rank: 2 },
});
const layers = [layerOf(0, 7, 0.5), layerOf(1, 8, 0.25), layerOf(2, 7, 0.75)];

test("the actual token has the server's number at every layer", () => {
  const curve = streamedCurve(layers, { id: 9, text: " Paris" }, true);
  expect(curve).toEqual({
    tokenId: 9,
    text: " Paris",
    layers: [0, 1, 2],
    probability: [0.25, 0.125, 0.375],
    rank: [2, 2, 2],
  });
});

test("another token has one where it is among the top predictions, and a gap elsewhere", () => {
  const curve = streamedCurve(layers, { id: 7, text: " London" }, false);
  expect(curve?.isPartial).toBe(true);
  expect(plotted(curve, "probability")).toEqual([0.5, null, 0.75]);
  expect(plotted(curve, "logprob")).toEqual([Math.log(0.5), null, Math.log(0.75)]);
  expect(plotted(curve, "rank")).toEqual([1, null, 1]);
  expect(streamedCurve(layers, { id: 3, text: null }, false)).toBeNull();
});
