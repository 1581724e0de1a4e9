import { afterEach, expect, test, vi } from "vitest";
import { RAMPS } from "@/charts/colour/colour";
import { CellLooks } from "./cellLooks";
import { CellPicture } from "./CellPicture";

afterEach(() => {
  vi.restoreAllMocks();
});

const N = 40_000;
const looks = new CellLooks({
  cells: {
    nPositions: N,
    isRead: () => true,
    value: (position) => position / N,
    textId: () => -1,
    isAnswer: () => false,
    isMarked: () => false,
  },
  layers: [0, 1],
  scale: { kind: "linear", dark: 0, bright: 1 },
});

/** What is drawn: from which columns of which canvas to where. */
function drawnFrom(from: number, to: number, width: number) {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({
    createImageData: (across: number, down: number) => ({ data: new Uint8ClampedArray(4 * across * down) }),
    putImageData: () => undefined,
  } as unknown as never);
  const calls: { canvas: number; start: number; across: number; x: number; width: number }[] = [];
  const context = {
    drawImage: (canvas: HTMLCanvasElement, ...at: number[]) =>
      calls.push({
        canvas: canvas.width,
        start: at[0] ?? 0,
        across: at[2] ?? 0,
        x: at[4] ?? 0,
        width: at[6] ?? 0,
      }),
  } as unknown as CanvasRenderingContext2D;
  const ramp = RAMPS.viridis;
  new CellPicture(looks, ramp, ramp).paint(context, { start: from, end: to }, null, {
    x: 10,
    y: 0,
    width,
    height: 40,
  });
  return calls;
}

test("a conversation longer than any canvas is drawn whole, in pieces without a gap", () => {
  const calls = drawnFrom(0, N, 800);
  let [x, columns] = [10, 0];
  for (const call of calls) {
    expect(call.canvas).toBeLessThanOrEqual(16_384);
    expect(call.start + call.across).toBeLessThanOrEqual(call.canvas);
    expect(call.x).toBeCloseTo(x, 6);
    x += call.width;
    columns += call.across;
  }
  expect(columns).toBe(N);
  expect(x).toBeCloseTo(810, 6);
});

test("a part that crosses two pieces is the columns that were asked for", () => {
  const calls = drawnFrom(16_380, 16_390, 100);
  expect(calls.map(({ start, across }) => [start, across])).toEqual([
    [16_380, 4],
    [0, 6],
  ]);
});
