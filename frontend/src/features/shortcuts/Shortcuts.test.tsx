/** Single keys on the whole page: where they work, and where what is open takes them. */
import { createEvent, fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { openAt, setUpNotes, tokens } from "@/test/notes";

setUpNotes();

const activeToken = async () => (await tokens()).getAttribute("aria-activedescendant");

test("letters typed in an open menu go to its items, and to no shortcut", async () => {
  const user = await openAt("?c=conversation-1&t=6&l=1");
  await tokens();
  await user.click(screen.getByRole("button", { name: "Export" }));
  const menu = await screen.findByRole("menu");
  within(menu).getAllByRole("menuitem")[0]?.focus();
  await user.keyboard("n]j");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(await activeToken()).toBe("token-6");
  expect(window.location.search).toContain("l=1");
  await user.keyboard("{Escape}n");
  expect(await screen.findByRole("dialog", { name: "New note" })).toBeInTheDocument();
});

test("brackets by AltGr move among the tokens, and the commands open on a Cyrillic keyboard", async () => {
  await openAt("?c=conversation-1&t=6");
  await tokens();
  fireEvent.keyDown(document.body, { key: "]", code: "Digit9", ctrlKey: true, altKey: true });
  expect(await activeToken()).toBe("token-7");
  fireEvent.keyDown(document.body, { key: "[", code: "Digit5", altKey: true });
  expect(await activeToken()).toBe("token-6");
  fireEvent.keyDown(document.body, { key: "л", code: "KeyK", ctrlKey: true });
  expect(await screen.findByRole("dialog", { name: "Commands" })).toBeInTheDocument();
});

test("Alt+Left on a control that is moved by arrows is the browser's", async () => {
  await openAt("?c=conversation-1&t=6");
  await tokens();
  for (const control of [
    await tokens(),
    screen.getByRole("separator", { name: "Width of the conversation" }),
  ]) {
    for (const [more, isTaken] of [
      [{ altKey: true }, false],
      [{ metaKey: true }, false],
      [{}, true],
    ] as const) {
      const event = createEvent.keyDown(control, { key: "ArrowLeft", ...more });
      fireEvent(control, event);
      expect(event.defaultPrevented).toBe(isTaken);
    }
  }
});
