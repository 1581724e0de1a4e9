import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { storedName } from "@/base/stored";
import { LensSelect } from "@/features/evidence/LensSelect";
import type { ViewProps } from "@/features/evidence/view";
import { choose } from "@/test/choose";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, renderView } from "@/test/renderView";
import Standard from "./Standard";

const tokens = madeUpTokens(30);
const timeline = madeUpTimeline(tokens, "lens-select");
let server: FakeServer;

beforeEach(() => {
  server = fakeServer(tokens);
});
afterEach(() => vi.unstubAllGlobals());

function Panel(props: ViewProps) {
  return (
    <>
      <LensSelect />
      <Standard {...props} />
    </>
  );
}

const kindsAsked = () => server.asked.map((request) => request.kind);

test("a model with the logit lens alone leaves nothing to choose", async () => {
  renderView(Panel, timeline, { index: 9 });
  await screen.findByRole("table", { busy: false });
  expect(screen.queryByRole("combobox", { name: "Lens" })).not.toBeInTheDocument();
  expect(kindsAsked()).toEqual(["logit"]);
});

test("the chosen lens is asked for, and remembered", async () => {
  server.lenses.push(
    { kind: "tuned", fitted_tokens: 1000, origin: "shipped", beats_controls: null, unfitted_layers: [] },
    { kind: "jacobian", fitted_tokens: 1000, origin: "shipped", beats_controls: null, unfitted_layers: [] },
  );
  const { unmount } = renderView(Panel, timeline, { index: 9 });
  const select = await screen.findByRole("combobox", { name: "Lens" });
  expect(select).toHaveTextContent("logit");
  await choose(select, "tuned");
  await waitFor(() => expect(kindsAsked().at(-1)).toBe("tuned"));
  unmount();
  renderView(Panel, timeline, { index: 9 });
  expect(await screen.findByRole("combobox", { name: "Lens" })).toHaveTextContent("tuned");
});

const STREAMED = [
  {
    layer: 0,
    label: "embed",
    predictions: [{ token_id: 1, text: "zebra", probability: 0.5, rank: 1 }],
    entropy_nats: 1,
    kl_to_final_nats: 1,
    actual: { probability: 0.5, rank: 1 },
  },
];

test("read-outs that came with the reply are of the logit lens, and never shown as another's", async () => {
  const streamed = tokens.map((token) => (token.index === 25 ? { ...token, lens: STREAMED } : token));
  server.lenses.push({
    kind: "tuned",
    fitted_tokens: 1000,
    origin: "shipped",
    beats_controls: null,
    unfitted_layers: [],
  });
  server.answer = () => new Promise<Response>(() => undefined);
  renderView(Panel, madeUpTimeline(streamed, "streamed"), { index: 25 });
  expect(await screen.findByText("zebra")).toBeInTheDocument();
  await choose(await screen.findByRole("combobox", { name: "Lens" }), "tuned");
  await waitFor(() => expect(kindsAsked().at(-1)).toBe("tuned"));
  expect(screen.queryByText("zebra")).not.toBeInTheDocument();
});

test("a lens says where its origin cannot be verified, and where it is unproven", async () => {
  server.lenses.push(
    { kind: "tuned", fitted_tokens: 9, origin: "fitted", beats_controls: false, unfitted_layers: [] },
    {
      kind: "jacobian",
      fitted_tokens: null,
      origin: "published",
      beats_controls: null,
      unfitted_layers: [0],
    },
  );
  renderView(Panel, timeline, { index: 9 });
  await userEvent.click(await screen.findByRole("combobox", { name: "Lens" }));
  expect(await screen.findByRole("option", { name: /tuned \(unproven\)/ })).toBeVisible();
  const published = screen.getByRole("option", { name: /Jacobian \(origin not verifiable\)/ });
  expect(published).toHaveTextContent("no map for layer 0, which is read as the logit lens reads it");
});

test("where the chosen lens is missing it says so, shows the logit lens, and keeps to it on request", async () => {
  window.localStorage.setItem(storedName("settings"), JSON.stringify({ lens: "jacobian" }));
  renderView(Panel, timeline, { index: 9 });
  await screen.findByRole("table", { busy: false });
  expect(kindsAsked()).toEqual(["logit"]);
  await userEvent.click(await screen.findByRole("button", { name: "no Jacobian lens: logit" }));
  expect(screen.queryByRole("button", { name: /lens: logit/ })).not.toBeInTheDocument();
  expect(JSON.parse(window.localStorage.getItem(storedName("settings")) ?? "{}")).toMatchObject({
    lens: "logit",
  });
});

test("only the logit lens echoes the token at the embedding", async () => {
  server.lenses.push({
    kind: "tuned",
    fitted_tokens: 1000,
    origin: "shipped",
    beats_controls: null,
    unfitted_layers: [],
  });
  renderView(Panel, timeline, { index: 9 });
  expect(await screen.findByText(/tends to echo/)).toBeInTheDocument();
  await choose(await screen.findByRole("combobox", { name: "Lens" }), "tuned");
  await waitFor(() => expect(screen.queryByText(/tends to echo/)).not.toBeInTheDocument());
});
