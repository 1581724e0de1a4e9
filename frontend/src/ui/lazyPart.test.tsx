import { act, render, screen } from "@testing-library/react";
import { Suspense } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { patientPart } from "./lazyPart";

afterEach(() => vi.useRealTimers());

test("a part that comes by itself and did not arrive is fetched again, and fails nothing", async () => {
  vi.useFakeTimers();
  const load = vi
    .fn<() => Promise<{ readonly default: () => string }>>()
    .mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"))
    .mockResolvedValue({ default: () => "It is here." });
  const Part = patientPart(load);
  render(
    <Suspense fallback="Not yet.">
      <Part />
    </Suspense>,
  );
  await act(() => vi.advanceTimersByTimeAsync(900));
  expect(screen.getByText("Not yet.")).toBeInTheDocument();
  await act(() => vi.advanceTimersByTimeAsync(200));
  expect(screen.getByText("It is here.")).toBeInTheDocument();
  expect(load).toHaveBeenCalledTimes(2);
});
