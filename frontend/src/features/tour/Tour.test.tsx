import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/base/errors";
import { isTourSeen } from "./seen";
import { TOUR } from "./steps";
import { TourCard } from "./Tour";
import { TourOffer } from "./TourOffer";

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
  render(<TourCard isReady error={null} isTouch={false} onClose={onClose} />);
  expect(isTourSeen()).toBe(true);
  expect(screen.getByRole("region", { name: "Every word is a prediction" })).toHaveFocus();
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
      <TourCard isReady error={null} isTouch={false} onClose={onClose} />
    </>,
  );
  await userEvent.type(screen.getByRole("textbox"), "{Escape}");
  expect(onClose).not.toHaveBeenCalled();
});

test("it says what it waits for until there is a token to point at", () => {
  const props = { isTouch: false, onClose: vi.fn() };
  const { rerender } = render(<TourCard {...props} isReady={false} error={null} />);
  expect(screen.getByRole("heading", { name: "The tour runs an example" })).toBeVisible();
  expect(screen.queryByText(TOUR[0]?.text ?? "")).not.toBeInTheDocument();
  const error = new ApiError({ code: "queue_full", message: "8 requests wait." });
  rerender(<TourCard {...props} isReady={false} error={error} />);
  expect(screen.getByText(/could not be run\. 8 requests wait\./)).toBeVisible();
  rerender(<TourCard {...props} isReady error={null} />);
  expect(screen.getByText(TOUR[0]?.text ?? "")).toBeVisible();
});

test("under a finger it teaches taps, and no keys", async () => {
  const user = userEvent.setup();
  render(<TourCard isReady error={null} isTouch onClose={vi.fn()} />);
  for (let step = 1; step <= TOUR.length; step += 1) {
    const card = screen.getByText(`${step} of ${TOUR.length}`).closest("section");
    expect(card).not.toHaveTextContent(/click|key|press|Ctrl/i);
    await user.click(screen.getByRole("button", { name: step < TOUR.length ? "Next" : "Done" }));
  }
});
