/** Notes on the whole page: listed, shown as text, changed, deleted. */
import { screen, waitFor, within } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { field, held, list, note, openAt, sent, setUpNotes, tokens } from "@/test/notes";
import { savedConversation } from "@/test/saved";
import { server } from "@/test/server";

setUpNotes();

test("the list is sorted, goes to the place, changes, deletes, and brings back", async () => {
  held["conversation-1"] = [note(6, 8, "range"), note(2, 3, "first", 1)];
  const user = await openAt("?c=conversation-1&t=7");
  await user.click(await screen.findByRole("button", { name: "Notes 2" }));
  const items = within(await list()).getAllByRole("listitem");
  expect(items.map((item) => item.textContent)).toEqual([
    "·Hello, index 2, at layer 1first",
    "2 tokens, 6 to 7: ·Grüß·dichrange",
  ]);
  await user.click(within(await list()).getByRole("button", { name: /first$/ }));
  expect(window.location.search).toContain("t=2&l=1");

  await user.click(screen.getByRole("button", { name: "Change the note on 2 tokens, 6 to 7" }));
  expect(await field()).toHaveValue("range");
  await user.clear(await field());
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await user.type(await field(), "better");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent.at(-1)).toEqual([note(6, 8, "better"), note(2, 3, "first", 1)]));

  await user.click(screen.getByRole("button", { name: "Delete the note on ·Hello, index 2, at layer 1" }));
  expect(within(await list()).getAllByRole("listitem")).toHaveLength(1);
  await waitFor(() => expect(sent.at(-1)).toEqual([note(6, 8, "better")]));
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(within(await list()).getAllByRole("listitem")).toHaveLength(2);
  await waitFor(() => expect(held["conversation-1"]).toHaveLength(2));
  await user.keyboard("{Escape}");
  (await list()).focus();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("region", { name: "Notes" })).not.toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Notes 2" })).toHaveFocus();
});

test("an empty list says how to write a note, and the palette opens both", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("{Control>}k{/Control}");
  await screen.findByRole("combobox", { name: "Find a command" });
  await user.keyboard("show notes{Enter}");
  expect(await list()).toHaveTextContent("No notes yet");
  await user.keyboard("{Control>}k{/Control}");
  await screen.findByRole("combobox", { name: "Find a command" });
  await user.keyboard("add a note{Enter}");
  expect(await field()).toBeInTheDocument();
});

test("a note's text is text: no links, no markup", async () => {
  held["conversation-1"] = [note(6, 7, "<img src=x onerror=alert(1)> https://example.org")];
  await openAt("?c=conversation-1&t=6");
  const own = await screen.findByRole("list", { name: "Notes on this token" });
  expect(own).toHaveTextContent("<img src=x onerror=alert(1)> https://example.org");
  expect(within(own).queryByRole("link")).not.toBeInTheDocument();
  expect(within(own).queryByRole("img")).not.toBeInTheDocument();
});

test("a conversation of another model lists its notes", async () => {
  server.use(
    http.get("*/api/conversations/:id", () =>
      HttpResponse.json(
        savedConversation({
          is_readable: false,
          tokens: [],
          model: { name: "gpt2", revision: "607a", source: "hub" },
          notes: [note(4, 7, "seen"), note(2, 3, "at once", 5)],
        }),
      ),
    ),
  );
  await openAt("?c=conversation-1");
  expect(await screen.findByRole("heading", { name: "The notes" })).toBeInTheDocument();
  expect(screen.getByText("a token, index 2, at layer 5")).toBeInTheDocument();
  expect(screen.getByText("3 tokens, 4 to 6")).toBeInTheDocument();
  expect(screen.getByText("seen")).toBeInTheDocument();
});
