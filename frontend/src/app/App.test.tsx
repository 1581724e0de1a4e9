import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { EVENTS, openAnswer } from "@/test/recordedStream";
import { HEALTH, server } from "@/test/server";
import { App } from "./App";

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

async function openReady() {
  const user = userEvent.setup();
  render(<App />);
  await screen.findByText("Ready");
  await screen.findByRole("heading", { name: "Send a text, then select any word" });
  return user;
}

const composer = () => screen.getByRole("textbox", { name: "Message" });

test("the page opens while the model loads, and says how far it is", async () => {
  server.use(
    http.get("*/api/health", () =>
      HttpResponse.json(
        {
          ...HEALTH,
          status: "loading",
          detail: "Downloading gpt2.",
          loading: [{ step: "find", status: "running", seconds: 3, done_bytes: 274e6, total_bytes: 548e6 }],
        },
        { status: 503 },
      ),
    ),
  );
  render(<App />);
  // What is shown while its code is fetched says so too, and makes way for it.
  const bar = await screen.findByRole("progressbar", { name: "Download of the model" });
  expect(bar).toHaveAttribute("value", "274000000");
  expect(screen.getByText("Downloading gpt2.")).toBeInTheDocument();
  expect(screen.getByText("274 MB of 548 MB")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Send" })).toHaveAttribute("aria-disabled", "true");
});

test("a model that failed says why and how to go on", async () => {
  server.use(
    http.get("*/api/health", () =>
      HttpResponse.json({ ...HEALTH, status: "failed", detail: "No such folder." }, { status: 503 }),
    ),
  );
  render(<App />);
  expect(await screen.findByRole("alert")).toHaveTextContent("No such folder.");
  expect(screen.getByText(/the name at the top of the page opens the list/)).toBeInTheDocument();
});

test("the first screen says which model runs and why, and runs an example with one click", async () => {
  const user = await openReady();
  expect(screen.getByText("Taken from the local cache.")).toBeInTheDocument();
  expect(screen.getByText(/was not trained to chat/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: /The capital of France is/ }));
  expect(await screen.findByRole("button", { name: "Regenerate" })).toBeInTheDocument();
});

test("a message becomes tokens, and arrows and brackets move among them", async () => {
  const user = await openReady();
  await user.type(composer(), "Hello{Enter}");
  await screen.findByRole("button", { name: "Regenerate" });
  await user.click(screen.getByRole("switch", { name: "Template" }));
  const list = screen.getByRole("listbox", { name: "Tokens of the conversation" });
  expect(within(list).getAllByRole("option")).toHaveLength(8);
  expect(composer()).toHaveValue("");

  await user.click(within(list).getByRole("option", { name: "Grüß" }));
  expect(list).toHaveAttribute("aria-activedescendant", "token-6");
  list.focus();
  await user.keyboard("{ArrowRight}");
  expect(list).toHaveAttribute("aria-activedescendant", "token-7");
  await user.keyboard("[[[[");
  expect(list).toHaveAttribute("aria-activedescendant", "token-5");
});

test("a reply that waits for NDIF says so where it will be, until it begins", async () => {
  const [start, ...rest] = EVENTS;
  let answer: ReturnType<typeof openAnswer> | undefined;
  server.use(
    http.post("*/api/chat", ({ request }) => {
      answer = openAnswer(request.signal);
      return answer.response;
    }),
  );
  const user = await openReady();
  const conversation = within(screen.getByRole("region", { name: "Conversation" }));
  await user.type(composer(), "Hello{Enter}");
  await waitFor(() => expect(answer).toBeDefined());
  answer?.send({ type: "remote", state: "queued" });
  expect(await conversation.findByText(/^Queued on NDIF: the reply begins/)).toBeVisible();
  answer?.send({ type: "remote", state: "deploying" });
  expect(await conversation.findByText(/^NDIF is loading the model, which/)).toBeVisible();
  answer?.send({ type: "remote", state: "running" });
  await waitFor(() => expect(conversation.queryByText(/on NDIF|^NDIF/)).toBeNull());
  for (const event of [start, ...rest]) if (event !== undefined) answer?.send(event);
  answer?.end();
  expect(await screen.findByRole("button", { name: "Regenerate" })).toBeVisible();
});

test("the template is folded to a chip for each turn, which a click or Enter opens and folds", async () => {
  const user = await openReady();
  await user.type(composer(), "Hello{Enter}");
  await screen.findByRole("button", { name: "Regenerate" });
  const list = screen.getByRole("listbox", { name: "Tokens of the conversation" });
  const shown = () =>
    within(list)
      .getAllByRole("option")
      .map((option) => option.textContent);
  const folded = ["▸ template, 3 tokens", " Hello", "▸ template, 2 tokens", " Grüß", " dich"];
  await waitFor(() => expect(shown()).toEqual(folded));

  await user.click(within(list).getByRole("option", { name: "Template, 3 tokens, of You, folded" }));
  expect(shown()).toEqual(["▾ template, 3 tokens", "User", ":", " Hello", "\n", ...folded.slice(2)]);

  await user.click(within(list).getByRole("option", { name: "Hello" }));
  list.focus();
  await user.keyboard("{ArrowRight}{ArrowRight}");
  expect(list).toHaveAttribute("aria-activedescendant", "template-4");
  await user.keyboard("{Enter}");
  expect(shown()).toContain("Assistant");
  await user.keyboard("{ArrowRight}");
  expect(list).toHaveAttribute("aria-activedescendant", "token-4");
  await user.keyboard("{ArrowLeft}{Enter}");
  expect(shown()).not.toContain("Assistant");
  // What was selected inside is no longer there: its neighbour is.
  expect(within(list).getByRole("option", { selected: true })).toHaveTextContent("Grüß");

  await user.click(screen.getByRole("switch", { name: "Template" }));
  expect(shown()).toHaveLength(8);
});

test("a refused message is explained and comes back", async () => {
  const user = await openReady();
  const error = {
    code: "queue_full",
    message: "8 requests wait.",
    hint: "Try again soon.",
    param: null,
    request_id: "r1",
  };
  server.use(http.post("*/api/chat", () => HttpResponse.json({ error }, { status: 429 })));
  await user.type(composer(), "Hello{Enter}");
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("8 requests wait. Try again soon.");
  expect(composer()).toHaveValue("Hello");
});

test("Shift+Enter breaks the line and sends nothing", async () => {
  const user = await openReady();
  await user.type(composer(), "one{Shift>}{Enter}{/Shift}two");
  expect(composer()).toHaveValue("one\ntwo");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
});

test("single keys do nothing once they are switched off", async () => {
  const user = await openReady();
  await user.keyboard("?");
  const sheet = await screen.findByRole("dialog", { name: "Help" });
  await user.click(within(sheet).getByRole("switch", { name: "Single keys work as shortcuts" }));
  await user.keyboard("{Escape}");
  await user.keyboard("?");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});

test("the palette does by name what the page can do, and gives the focus to what needs it", async () => {
  const user = await openReady();
  await user.type(composer(), "Hello{Enter}");
  await screen.findByRole("button", { name: "Regenerate" });
  await user.keyboard("{Control>}k{/Control}");
  const find = await screen.findByRole("combobox", { name: "Find a command" });
  expect(find).toHaveFocus();
  const options = () => screen.getAllByRole("option").filter((each) => each.dataset["index"] === undefined);
  expect(options()[0]).toHaveAttribute("aria-selected", "true");

  await user.keyboard("6");
  await user.keyboard("{Enter}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  const list = screen.getByRole("listbox", { name: "Tokens of the conversation" });
  await waitFor(() => expect(list).toHaveAttribute("aria-activedescendant", "token-6"));

  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Find a command" }), "heat");
  expect(options().map((each) => each.textContent)).toEqual(["Open Heatmap2"]);
  await user.keyboard("{Enter}");
  await waitFor(() =>
    expect(screen.getByRole("tab", { name: "Heatmap" })).toHaveAttribute("aria-selected", "true"),
  );

  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Find a command" }), "xyzzy");
  expect(screen.getByText("No matching command")).toBeVisible();
  await user.clear(screen.getByRole("combobox", { name: "Find a command" }));
  await user.type(screen.getByRole("combobox", { name: "Find a command" }), "new chat{Enter}");
  await screen.findByRole("heading", { name: "Send a text, then select any word" });
  await waitFor(() => expect(composer()).toHaveFocus());
});

test("arrows go round the commands, and an example can be run from them", async () => {
  const user = await openReady();
  await user.keyboard("{Meta>}k{/Meta}");
  await screen.findByRole("combobox", { name: "Find a command" });
  await user.keyboard("{ArrowUp}");
  expect(screen.getAllByRole("option").at(-1)).toHaveAttribute("aria-selected", "true");
  await user.keyboard("{ArrowDown}");
  expect(screen.getAllByRole("option")[0]).toHaveAttribute("aria-selected", "true");
  await user.keyboard("example capital{Enter}");
  expect(await screen.findByRole("button", { name: "Regenerate" })).toBeInTheDocument();
});

test("the tour runs the first example, points at its tokens, and the palette starts it again", async () => {
  const user = await openReady();
  await user.click(screen.getByRole("button", { name: "Take the tour" }));
  expect(await screen.findByRole("region", { name: "Every word is a prediction" })).toBeVisible();
  await screen.findByRole("button", { name: "Regenerate" });
  const tokens = within(screen.getByRole("listbox", { name: "Tokens of the conversation" }));
  expect(tokens.getAllByRole("option", { selected: true })).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "Skip the tour" }));
  expect(screen.queryByRole("region", { name: "Every word is a prediction" })).not.toBeInTheDocument();
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: "Find a command" }), "tour{Enter}");
  expect(await screen.findByRole("region", { name: "Every word is a prediction" })).toBeVisible();
});
