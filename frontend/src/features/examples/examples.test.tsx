import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { MODEL, server } from "@/test/server";
import type { ModelInfo } from "@/types/schemas";
import { useExamples } from "./examples";

beforeAll(() => server.listen());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const MEASURED = {
  title: "A capital",
  mode: "completion" as const,
  text: "The capital of France is",
  watch: " Paris",
  note: "“ Paris” is rank 1 from layer 22 on.",
  bos: true,
};

function Titles({ model, isAsked }: { readonly model: ModelInfo; readonly isAsked: boolean }) {
  const { examples, areAwaited } = useExamples(model, isAsked);
  return <p>{areAwaited ? "awaited" : examples.map(({ title }) => title).join() || "none"}</p>;
}

function show(model: ModelInfo, isAsked: boolean) {
  let nAsked = 0;
  server.use(
    http.get("*/api/examples", () => {
      nAsked += 1;
      return HttpResponse.json({ examples: [MEASURED] });
    }),
  );
  const titles = (asks: boolean) => (
    <QueryClientProvider client={client}>
      <Titles model={model} isAsked={asks} />
    </QueryClientProvider>
  );
  const client = new QueryClient();
  const { rerender } = render(titles(isAsked));
  return { ask: (asks: boolean) => rerender(titles(asks)), nAsked: () => nAsked };
}

test("examples that have to be measured are asked for where they are shown, and then known everywhere", async () => {
  const { ask, nAsked } = show({ ...MODEL, examples: [] }, false);
  expect(screen.getByText("none")).toBeVisible();
  expect(nAsked()).toBe(0);

  ask(true);
  expect(screen.getByText("awaited")).toBeVisible();
  expect(await screen.findByText("A capital")).toBeVisible();

  ask(false);
  expect(screen.getByText("A capital")).toBeVisible();
  expect(nAsked()).toBe(1);
});

test("examples that come with the model's facts are not asked for", () => {
  const { nAsked } = show(MODEL, true);

  expect(screen.getByText("A capital")).toBeVisible();
  expect(nAsked()).toBe(0);
});
