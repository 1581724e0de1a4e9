import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import { http } from "msw";
import type { ReactNode } from "react";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { refused, server } from "@/test/server";
import { useServer } from "./server";

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

function renderServer() {
  const queries = new QueryClient();
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <QueryClientProvider client={queries}>{children}</QueryClientProvider>
  );
  return { ...renderHook(() => useServer(), { wrapper }), queries };
}

test.each([
  ["queue_full", "ready"],
  ["internal_error", "lost"],
])("a server whose health is refused with %s is %s", async (code, phase) => {
  const { result, rerender, queries } = renderServer();
  await waitFor(() => expect(result.current.phase).toBe("ready"));
  let nAsked = 0;
  server.use(
    http.get("*/api/health", () => {
      nAsked += 1;
      return refused(code, 503);
    }),
  );
  await queries.refetchQueries({ queryKey: ["health"] });
  rerender();
  expect(nAsked).toBe(1);
  expect(result.current.phase).toBe(phase);
});
