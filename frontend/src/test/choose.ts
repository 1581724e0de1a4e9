/** Chooses in a `Select`, by the value or by the words of an option. */
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";

export async function choose(select: HTMLElement, option: string): Promise<void> {
  await userEvent.click(select);
  const list = await screen.findByRole("listbox", { name: select.getAttribute("aria-label") ?? "" });
  const options = within(list).getAllByRole("option");
  const byValue = options.find((each) => each.dataset["value"] === option);
  await userEvent.click(byValue ?? within(list).getByRole("option", { name: option }));
}
