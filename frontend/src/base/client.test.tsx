import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/base/errors";
import { fetchHealth } from "@/features/server/requests";
import { fetchLens } from "@/reading/requests";

/** The error that a request ends with. */
async function failureOf(request: Promise<unknown>): Promise<ApiError> {
  const reason: unknown = await request.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(reason instanceof ApiError)) throw new Error(`no ApiError: ${String(reason)}`);
  return reason;
}

const refusal = (code: string, hint: string, status: number): Response =>
  Response.json({ error: { code, message: "Refused.", hint, param: null, request_id: "r" } }, { status });

/** A server that takes a request and never answers. */
async function hang({ signal }: Request): Promise<Response> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  signal.throwIfAborted();
  return Response.error();
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a request that hangs", () => {
  beforeEach(() => {
    // Fake timers do not reach the one of AbortSignal.
    vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException("too late", "TimeoutError")), ms);
      return controller.signal;
    });
    vi.stubGlobal("fetch", hang);
  });

  test("ends with an error that says so: health soon, what waits for the model after the server's own limit", async () => {
    const { signal } = new AbortController();
    const health = failureOf(fetchHealth(signal));
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await health).code).toBe("no_answer");
    let isOver = false;
    const lens = failureOf(fetchLens({ conversation_id: "c" }, null, signal)).finally(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await lens).code).toBe("no_answer");
  });

  test("still ends when its caller aborts it", async () => {
    const controller = new AbortController();
    const lens = fetchLens({ conversation_id: "c" }, null, controller.signal);
    controller.abort();
    await expect(lens).rejects.toMatchObject({ name: "AbortError" });
  });
});

test.each([
  ["unauthorized", 401],
  ["forbidden", 403],
])("health that is refused as %s is not taken for a server that is away", async (code, status) => {
  vi.stubGlobal("fetch", () => Promise.resolve(refusal(code, "What to do.", status)));
  const error = await failureOf(fetchHealth(new AbortController().signal));
  expect(error).toMatchObject({ code, hint: "What to do." });
});

test("a proxy that answers for a server that is gone is a server that is away", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json("Bad gateway", { status: 502 })));
  expect((await failureOf(fetchHealth(new AbortController().signal))).code).toBe("server_unreachable");
});
