import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { Token } from "@/model/timeline";
import { MADE_UP, madeUpLens, madeUpTokens } from "@/test/lensData";
import { fakeServer } from "@/test/renderView";
import { usePlaceReading } from "./placeReading";

afterEach(() => vi.unstubAllGlobals());

test("the last token is read again once another follows it, which then has its probability", async () => {
  const all = madeUpTokens(7);
  const server = fakeServer(all);
  let held = all.slice(0, 6);
  server.answer = (request) => Response.json(madeUpLens(held, request));
  const queries = new QueryClient();
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <QueryClientProvider client={queries}>{children}</QueryClientProvider>
  );
  const source = { conversation_id: "grows" };
  const { result, rerender } = renderHook(
    (tokens: readonly Token[]) =>
      usePlaceReading({ source, tokens, model: MADE_UP }, { kind: "logit", hasHalf: false }, 5, true),
    { wrapper, initialProps: held },
  );
  await waitFor(() => expect(result.current.layers).not.toBeNull());
  expect(result.current.layers?.[0]?.next).toBeNull();
  held = all;
  rerender(all);
  await waitFor(() => expect(result.current.layers?.[0]?.next?.rank).toBeTypeOf("number"));
});
