import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { HEALTH, MODEL, refused, server } from "@/test/server";
import type { Health, ListedModel, ModelChoice, ModelList } from "@/types/schemas";
import { LoadNeeded } from "./LoadNeeded";
import ModelMenu from "./ModelMenu";
import SwitchNotice from "./SwitchNotice";

const SMALL: ListedModel = {
  key: "dir:small",
  name: "small",
  source: "local",
  identity: null,
  disk_bytes: 548_000_000,
  memory_bytes: 500_000_000,
  fits: "yes",
  num_parameters: 124_000_000,
  context_length: 1024,
  architecture: "gpt2",
  has_chat_template: true,
  problem: null,
};
const TINY = { name: "tiny", revision: "abc", source: "hub" } as const;
const LIST: ModelList = {
  models: [
    { ...SMALL, key: "tiny", name: "tiny", source: "hub", identity: TINY, has_chat_template: false },
    SMALL,
    { ...SMALL, key: "dir:large", name: "large", fits: "alone" },
    { ...SMALL, key: "dir:broken", name: "broken", problem: "model.safetensors of broken is damaged." },
  ],
  running: "tiny",
  free_bytes: 3_000_000_000,
  takes_paths: true,
};

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

let asked: ModelChoice[];

beforeEach(() => {
  asked = [];
  server.use(
    http.get("*/api/models", () => HttpResponse.json(LIST)),
    http.put("*/api/model", async ({ request }) => {
      asked.push((await request.json()) as ModelChoice);
      return HttpResponse.json({ key: "dir:small", model: "small" }, { status: 202 });
    }),
  );
});

const open = (health: Health = HEALTH) =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ModelMenu model={MODEL} health={health} />
    </QueryClientProvider>,
  );

const row = async (name: string): Promise<HTMLElement> => {
  const rows = within(await screen.findByRole("list", { name: "Models" })).getAllByRole("listitem");
  const found = rows.find((each) => each.textContent.startsWith(name));
  if (found === undefined) throw new Error(`no row ${name}`);
  return found;
};

test("each model says what its files tell, and one click loads it", async () => {
  open();
  expect(await row("small")).toHaveTextContent(
    "chat · 124M parameters · context 1,024 · 548 MB on disk · 500 MB of memory (fits)",
  );
  expect(within(await row("tiny")).queryByRole("button")).toBeNull();
  expect(await row("tiny")).toHaveTextContent("runs");
  expect(await row("broken")).toHaveTextContent("model.safetensors of broken is damaged.");
  expect(screen.getByRole("button", { name: "Load broken" })).toBeDisabled();
  await userEvent.click(screen.getByRole("button", { name: "Load small" }));
  await userEvent.click(screen.getByRole("button", { name: "Load large" }));
  expect(asked).toEqual([{ model: "dir:small" }, { model: "dir:large", unload_first: true }]);
});

test("what is typed searches the list, and is loaded where it is not of the list", async () => {
  open();
  const field = await screen.findByRole("textbox", { name: "Search, or name a model" });
  await userEvent.type(field, "smal");
  expect(screen.getAllByRole("listitem")).toHaveLength(1);
  expect(screen.queryByRole("button", { name: "Load" })).toBeNull();
  await userEvent.clear(field);
  await userEvent.type(field, "~/models/mine");
  expect(
    screen.getByText(/a model id of the Hugging Face hub, or as the path of a folder or a GGUF file/),
  ).toBeVisible();
  await userEvent.keyboard("{Enter}");
  expect(asked).toEqual([{ model: "~/models/mine" }]);
});

test("a model that is refused says why, and one that is too large can be loaded in the place of the other", async () => {
  server.use(http.put("*/api/model", () => refused("model_too_large", 507), { once: true }));
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Load small" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The model was not changed. It did not work.");
  await userEvent.click(screen.getByRole("button", { name: "Unload tiny first" }));
  expect(asked).toEqual([{ model: "dir:small", unload_first: true }]);
  expect(screen.queryByRole("alert")).toBeNull();
});

const CHANGE: NonNullable<Health["switch"]> = {
  key: "dir:small",
  model: "small",
  stage: "loading",
  detail: "Loading the weights of small.",
  loading: [{ step: "weights", status: "running", seconds: 1, done_bytes: 100e6, total_bytes: 548e6 }],
  error: null,
};

test("no other model is offered while one loads", async () => {
  open({ ...HEALTH, switch: CHANGE });
  await row("small");
  expect(screen.getByRole("button", { name: "Load small" })).toBeDisabled();
});

test("the notice tells how far another model is, and why it was not loaded", async () => {
  const { rerender } = render(<SwitchNotice change={CHANGE} running="tiny" />);
  expect(screen.getByRole("progressbar", { name: "Loading small" })).toHaveAttribute("value", "100000000");
  expect(screen.getByText("tiny goes on meanwhile.")).toBeVisible();
  const error = { code: "x", message: "The lens differs.", hint: null, param: null, request_id: "r" };
  rerender(
    <SwitchNotice
      change={{ ...CHANGE, stage: "failed", detail: "The lens differs.", error }}
      running="tiny"
    />,
  );
  expect(screen.getByRole("alert")).toHaveTextContent(
    "small was not loaded; tiny goes on. The lens differs.",
  );
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

test.each([
  ["a model that is known by its revision", TINY, { model: "tiny", unload_first: false }],
  [
    "a folder that was not loaded yet, by its name",
    { name: "small", revision: "f00", source: "local" } as const,
    { model: "dir:small", unload_first: false },
  ],
  [
    "another revision of a model of the hub",
    { name: "tiny", revision: "def", source: "hub" } as const,
    { model: "tiny", revision: "def", unload_first: false },
  ],
])("one click loads what a conversation needs: %s", async (_what, needed, choice) => {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LoadNeeded needed={needed} />
    </QueryClientProvider>,
  );
  await userEvent.click(await screen.findByRole("button", { name: `Load ${needed.name}` }));
  expect(asked).toEqual([choice]);
});
