import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import Tour from "./Tour";
import { TourOffer } from "./TourOffer";
import { isTourSeen } from "./seen";
import { TOUR } from "./steps";

test("the tour is offered until it is taken or declined", async () => {
  const onStart = vi.fn();
  const { unmount } = render(<TourOffer onStart={onStart} />);
  await userEvent.click(screen.getByRole("button", { name: "No, thanks" }));
  expect(onStart).not.toHaveBeenCalled();
  expect(screen.queryByRole("button")).not.toBeInTheDocument();
  unmount();
  render(<TourOffer onStart={onStart} />);
  expect(screen.queryByRole("button", { name: "Take the tour" })).not.toBeInTheDocument();
});

test("it goes through its steps and back, and can be ended at each", async () => {
  const user = userEvent.setup();
  const onClose = vi.fn();
  render(<Tour onClose={onClose} />);
  expect(isTourSeen()).toBe(true);
  expect(screen.getByRole("region", { name: "Send a text" })).toHaveFocus();
  for (const { title, text } of TOUR.slice(0, -1)) {
    expect(screen.getByRole("heading", { name: title })).toBeVisible();
    expect(screen.getByText(text)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Next" }));
  }
  expect(screen.getByText(`${TOUR.length} of ${TOUR.length}`)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Back" }));
  expect(screen.getByText(`${TOUR.length - 1} of ${TOUR.length}`)).toBeVisible();
  expect(onClose).not.toHaveBeenCalled();
  await user.keyboard("{Escape}");
  expect(onClose).toHaveBeenCalledTimes(1);
  await user.click(screen.getByRole("button", { name: "Skip the tour" }));
  expect(onClose).toHaveBeenCalledTimes(2);
});

test("Escape outside of the card is the page's", async () => {
  const onClose = vi.fn();
  render(
    <>
      <input />
      <Tour onClose={onClose} />
    </>,
  );
  await userEvent.type(screen.getByRole("textbox"), "{Escape}");
  expect(onClose).not.toHaveBeenCalled();
});
