/** Notes on the whole page: written on a token, a cell, a range or selected text, within the limits. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { storedName, writeStored } from "@/base/stored";
import { field, held, note, openAt, sent, setUpNotes, token, tokens } from "@/test/notes";

setUpNotes();

test("a note on a token is written by keyboard, saved, and seen where it is", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  // Within the evidence, which it is about and must not cover.
  const evidence = within(screen.getByRole("region", { name: "Evidence" }));
  expect(await evidence.findByRole("dialog", { name: "New note" })).toHaveTextContent("on ·Grüß, index 6");
  expect(await field()).toHaveFocus();
  await user.keyboard("German.{Enter}Why?{Control>}{Enter}{/Control}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();

  expect(await token("Grüß, has a note")).toHaveClass("token-noted-start");
  const own = screen.getByRole("list", { name: "Notes on this token" });
  expect(own).toHaveTextContent("German. Why?");
  expect(screen.getByRole("button", { name: "Notes 1" })).toBeInTheDocument();
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "German.\nWhy?")]]));
});

test("with a layer selected it is on the cell, unless the token is chosen; the first token has no cell", async () => {
  writeStored("settings", { showTemplate: true });
  const user = await openAt("?c=conversation-1&t=6&l=1");
  await tokens();
  await user.keyboard("n");
  const dialog = await screen.findByRole("dialog", { name: "New note" });
  expect(dialog).toHaveTextContent("on ·Grüß, index 6, at layer 1");
  await user.click(within(dialog).getByRole("radio", { name: "This token" }));
  expect(dialog).not.toHaveTextContent("index 6, at layer 1");
  await user.click(within(dialog).getByRole("radio", { name: "At layer 1" }));
  await user.type(await field(), "cell");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "cell", 1)]]));

  await user.click(await token("User"));
  await user.keyboard("n");
  expect(await screen.findByRole("dialog", { name: "New note" })).toHaveTextContent("on User, index 0");
  expect(screen.queryByRole("radio", { name: "At layer 1" })).not.toBeInTheDocument();
  expect(screen.getByRole("dialog")).not.toHaveTextContent("at layer");
});

test("a range is made by Shift and the brackets or a click, and ends with Escape or another token", async () => {
  writeStored("settings", { showTemplate: true });
  const user = await openAt("?c=conversation-1&t=2");
  const chosen = async () =>
    within(await tokens())
      .getAllByRole("option", { selected: true })
      .map((option) => Number(option.getAttribute("data-index")));
  await tokens();
  await user.keyboard("}}");
  expect(await chosen()).toEqual([2, 3, 4]);
  expect(screen.getByText("Range of 3 tokens, 2 to 4")).toBeInTheDocument();
  await user.keyboard("{{");
  expect(await chosen()).toEqual([2, 3]);
  await user.keyboard("{Escape}");
  expect(await chosen()).toEqual([2]);

  fireEvent.click(await token("dich"), { shiftKey: true });
  expect(await chosen()).toEqual([2, 3, 4, 5, 6, 7]);
  await user.click(await token("Hello"));
  expect(await chosen()).toEqual([2]);

  (await tokens()).focus();
  await user.keyboard("{Shift>}{ArrowRight}{ArrowRight}{/Shift}n");
  expect(await screen.findByRole("dialog")).toHaveTextContent("on 3 tokens, 2 to 4");
  await user.click(screen.getByRole("button", { name: "Extend by one token" }));
  await user.type(await field(), "together");
  await user.keyboard("{Control>}{Enter}{/Control}");
  await waitFor(() => expect(sent).toEqual([[note(2, 6, "together")]]));
  expect(within(await tokens()).getAllByRole("option", { name: /has a note$/ })).toHaveLength(4);
});

test("text that is selected is what the note is on", async () => {
  const user = await openAt("?c=conversation-1&t=2");
  const [from, to] = [(await token("Grüß")).firstChild, (await token("dich")).firstChild];
  if (from === null || to === null) throw new Error("no text");
  window.getSelection()?.setBaseAndExtent(from, 2, to, 3);
  await user.keyboard("n");
  expect(await screen.findByRole("dialog")).toHaveTextContent("on 2 tokens, 6 to 7");
});

test("closing does not lose what was typed without asking", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await user.type(await field(), "dear to me");
  await user.keyboard("{Escape}");
  expect(screen.getByRole("alert")).toHaveTextContent("What you wrote is not saved.");
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(await field()).toHaveFocus();
  expect(await field()).toHaveValue("dear to me");
  await user.keyboard("{Escape}");
  await user.click(screen.getByRole("button", { name: "Discard" }));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();

  await user.keyboard("n");
  await field();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument(); // nothing was typed
  expect(sent).toEqual([]);
});

test("the limits are told before the server refuses", async () => {
  held["conversation-1"] = Array.from({ length: 1000 }, (_, i) => note(2, 3, `note ${i}`));
  const user = await openAt("?c=conversation-1&t=6");
  await screen.findByRole("button", { name: "Notes 1000" });
  await user.keyboard("n");
  await user.type(await field(), "one too many");
  expect(screen.getByRole("dialog")).toHaveTextContent("1,000 notes, as many as it can hold");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(sent).toEqual([]);
});

test("a text that is too long is kept in the field, and says by how much", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  fireEvent.change(await field(), { target: { value: "😀".repeat(4000) } });
  expect(screen.getByRole("dialog")).toHaveTextContent("4,000 of 4,000 characters");
  expect(screen.getByRole("button", { name: "Save" })).toBeEnabled();
  fireEvent.change(await field(), { target: { value: "x".repeat(4001) } });
  expect(screen.getByRole("dialog")).toHaveTextContent("4,001 characters; a note may have 4,000.");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
});

test("the key is off where single keys are", async () => {
  window.localStorage.setItem(storedName("settings"), JSON.stringify({ shortcuts: false }));
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});
