import { afterEach, expect, test, vi } from "vitest";
import { onPixelRatioChange } from "./pixelRatio";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("reports each change of the pixel ratio until the listener is removed", () => {
  const queries: { media: string; target: EventTarget }[] = [];
  vi.stubGlobal("matchMedia", (media: string) => {
    const target = new EventTarget();
    queries.push({ media, target });
    return target;
  });
  const moveTo = (ratio: number): void => {
    vi.stubGlobal("devicePixelRatio", ratio);
    queries.at(-1)?.target.dispatchEvent(new Event("change"));
  };
  vi.stubGlobal("devicePixelRatio", 1);
  const call = vi.fn();
  const stop = onPixelRatioChange(call);
  moveTo(2);
  moveTo(1.5);
  expect(call).toHaveBeenCalledTimes(2);
  expect(queries.map(({ media }) => media)).toEqual([
    "(resolution: 1dppx)",
    "(resolution: 2dppx)",
    "(resolution: 1.5dppx)",
  ]);
  stop();
  moveTo(1);
  expect(call).toHaveBeenCalledTimes(2);
});
