/** Enter that ends the choice of a character in an input method does nothing else, in either order of events. */
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { field, openAt, sent, setUpNotes, tokens } from "@/test/notes";
import { NameField } from "@/ui/NameField";

setUpNotes();

/** Chrome and Firefox send the Enter before the composition ends, Safari after it. */
const ENTERS = [
  { key: "Enter", keyCode: 229, isComposing: true },
  { key: "Enter", keyCode: 229, isComposing: false },
] as const;

for (const enter of ENTERS) {
  const order = enter.isComposing ? "while it composes" : "after it has composed";

  test(`Enter ${order} sends no message`, async () => {
    const user = await openAt("?view=standard");
    const composer = screen.getByRole("textbox", { name: "Message" });
    await user.type(composer, "日本");
    fireEvent.keyDown(composer, enter);
    expect(composer).toHaveValue("日本");
    fireEvent.keyDown(composer, { key: "Enter", keyCode: 13 });
    expect(composer).toHaveValue("");
  });

  test(`Enter ${order} chooses no command, and Escape keeps the commands open`, async () => {
    const user = await openAt("?view=standard");
    await user.keyboard("{Control>}k{/Control}");
    const find = await screen.findByRole("combobox", { name: "Find a command" });
    fireEvent.keyDown(find, enter);
    fireEvent.keyDown(find, { ...enter, key: "Escape" });
    expect(screen.getByRole("dialog", { name: "Commands" })).toBeInTheDocument();
    fireEvent.keyDown(find, { key: "Enter", keyCode: 13 });
    expect(screen.queryByRole("dialog", { name: "Commands" })).not.toBeInTheDocument();
  });

  test(`Enter ${order} saves no note`, async () => {
    const user = await openAt("?c=conversation-1&t=6");
    await tokens();
    await user.keyboard("n");
    await user.type(await field(), "日本");
    fireEvent.keyDown(await field(), { ...enter, ctrlKey: true });
    expect(await field()).toHaveValue("日本");
    expect(sent).toEqual([]);
  });

  test(`Enter ${order} ends no name`, async () => {
    const onDone = vi.fn();
    render(<NameField label="Title" value="" onDone={onDone} />);
    const name = screen.getByRole("textbox", { name: "Title" });
    await userEvent.type(name, "日本");
    fireEvent.keyDown(name, enter);
    fireEvent.keyDown(name, { ...enter, key: "Escape" });
    expect(onDone).not.toHaveBeenCalled();
    fireEvent.keyDown(name, { key: "Enter", keyCode: 13 });
    expect(onDone.mock.calls).toEqual([["日本"]]);
  });
}
