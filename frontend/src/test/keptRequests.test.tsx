import { afterEach, expect, test, vi } from "vitest";
import { fetchLens } from "@/reading/requests";
import { madeUpTokens } from "./lensData";
import { fakeServer } from "./renderView";

afterEach(() => vi.unstubAllGlobals());

/** What Node does by itself when memory runs short. */
function collectGarbage(): void {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect !== "function") throw new Error("start Node with --expose-gc, as vite.config.ts does");
  Reflect.apply(collect, undefined, []);
}

test("a request that is hung up on ends, though memory was collected while it was under way", async () => {
  const server = fakeServer(madeUpTokens(3));
  server.answer = () => new Promise(() => undefined);
  const controller = new AbortController();
  const ended = vi.fn();
  fetchLens({ conversation_id: "c" }, null, controller.signal).catch(ended);
  await vi.waitFor(() => expect(server.asked).toHaveLength(1));
  for (let turn = 0; turn < 3; turn += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve));
  }
  controller.abort();
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
});
