import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, onTestFinished, test, vi } from "vitest";
import { ApiError, errorFromBody } from "@/base/errors";
import type { Readability } from "./readability";
import { useReading } from "./useReading";

const doubled = (answer: number): number => 2 * answer;

function renderReading(ask: () => Promise<number>, passing: readonly string[] = []) {
  const client = new QueryClient();
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(
    ({ readable, isAsked }: { readonly readable: Readability; readonly isAsked: boolean }) =>
      useReading({ key: ["it"], readable, isAsked, ask, merge: doubled, passing }),
    { wrapper, initialProps: { readable: "deferred", isAsked: true } },
  );
}

test("no request is sent until the text can be read, and the state says why", async () => {
  let nAsked = 0;
  const { result, rerender } = renderReading(() => {
    nAsked += 1;
    return Promise.resolve(21);
  });
  expect(result.current).toMatchObject({ status: "deferred", data: null, error: null });
  rerender({ readable: "unsaved", isAsked: true });
  expect(result.current.status).toBe("unsaved");
  rerender({ readable: "ready", isAsked: false });
  expect(result.current.status).toBe("none");
  expect(nAsked).toBe(0);
  rerender({ readable: "ready", isAsked: true });
  expect(result.current.status).toBe("loading");
  await waitFor(() => expect(result.current).toMatchObject({ status: "done", data: 42 }));
  rerender({ readable: "deferred", isAsked: true });
  expect(result.current).toMatchObject({ status: "done", data: 42 });
  expect(nAsked).toBe(1);
});

test("a failure is reported, and retried on request", async () => {
  let isBroken = true;
  const { result, rerender } = renderReading(() =>
    isBroken ? Promise.reject(new ApiError({ code: "out_of_memory", message: "Full." })) : Promise.resolve(1),
  );
  rerender({ readable: "ready", isAsked: true });
  await waitFor(() => expect(result.current.status).toBe("failed"));
  expect(result.current.error?.message).toBe("Full.");
  isBroken = false;
  act(() => result.current.retry());
  await waitFor(() => expect(result.current).toMatchObject({ status: "done", data: 2, error: null }));
});

test("a full queue is asked again when the server says so", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const times: number[] = [];
  const full = new Response(null, { status: 429, headers: { "Retry-After": "7" } });
  const body = { error: { code: "queue_full", message: "Wait.", hint: null, param: null, request_id: "r" } };
  const { rerender } = renderReading(() => {
    times.push(Date.now());
    return times.length === 1 ? Promise.reject(errorFromBody(body, full)) : Promise.resolve(1);
  });
  rerender({ readable: "ready", isAsked: true });
  await act(() => vi.advanceTimersByTimeAsync(6_900));
  expect(times).toHaveLength(1);
  await act(() => vi.advanceTimersByTimeAsync(200));
  expect(times).toHaveLength(2);
});

test("what passes by itself is not told", async () => {
  let nAsked = 0;
  const { result, rerender } = renderReading(() => {
    nAsked += 1;
    return nAsked < 3
      ? Promise.reject(new ApiError({ code: nAsked === 1 ? "queue_full" : "not_yet", message: "Wait." }))
      : Promise.resolve(1);
  }, ["not_yet"]);
  rerender({ readable: "ready", isAsked: true });
  await waitFor(() => expect(result.current.status).toBe("done"));
  expect(nAsked).toBe(3);
});
