import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RequestLane } from "./lane";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const hang = (): Promise<never> => new Promise(() => undefined);

test("background work starts when the urgent request has ended", async () => {
  const lane = new RequestLane();
  let end: () => void = () => undefined;
  void lane.first(() => new Promise<void>((resolve) => (end = resolve)));
  const started = vi.fn(() => Promise.resolve());
  const background = lane.afterwards(started);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(started).not.toHaveBeenCalled();
  end();
  await background;
  expect(started).toHaveBeenCalledTimes(1);
});

test("an urgent request that hangs holds up background work for ten seconds, not for ever", async () => {
  const lane = new RequestLane();
  void lane.first(hang);
  const started = vi.fn(() => Promise.resolve());
  const background = lane.afterwards(started);
  await vi.advanceTimersByTimeAsync(9_900);
  expect(started).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  await background;
  expect(started).toHaveBeenCalledTimes(1);
});
