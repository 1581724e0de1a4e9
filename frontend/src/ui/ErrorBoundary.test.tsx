import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ComponentType, Suspense } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "./ErrorBoundary";
import { lazyPart } from "./lazyPart";

beforeEach(() => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
});

const View = (): React.ReactNode => <p>The view</p>;

/** A part whose code does not arrive while `isAway`. */
function partOf() {
  const server = { isAway: true, asked: 0 };
  const load = (): Promise<{ default: ComponentType }> => {
    server.asked += 1;
    return server.isAway
      ? Promise.reject(new TypeError("Failed to fetch dynamically imported module: /assets/View-1.js"))
      : Promise.resolve({ default: View });
  };
  const Part = lazyPart(load);
  const shown = (onClose?: () => void) => (
    <ErrorBoundary {...(onClose === undefined ? {} : { onClose })}>
      <Suspense fallback="Opening…">
        <Part />
      </Suspense>
    </ErrorBoundary>
  );
  return { server, shown };
}

test("code that did not arrive is asked for once, told as that, and comes when it is asked for again", async () => {
  const { server, shown } = partOf();
  render(shown());
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("This part of the page could not be loaded");
  expect(alert).toHaveTextContent("/assets/View-1.js");
  expect(alert).not.toHaveTextContent("defect");
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeVisible();
  expect(server.asked).toBe(1);
  server.isAway = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("The view")).toBeVisible();
  expect(server.asked).toBe(2);
});

test("a part that was closed after its code did not arrive asks for it when it is opened again", async () => {
  const { server, shown } = partOf();
  const onClose = vi.fn();
  const { unmount } = render(shown(onClose));
  await screen.findByRole("alert");
  server.isAway = false;
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(onClose).toHaveBeenCalledTimes(1);
  unmount();
  render(shown(onClose));
  expect(await screen.findByText("The view")).toBeVisible();
});

test("code that has arrived is not asked for again", async () => {
  const { server, shown } = partOf();
  server.isAway = false;
  const { unmount } = render(shown());
  await screen.findByText("The view");
  unmount();
  render(shown());
  expect(await screen.findByText("The view")).toBeVisible();
  expect(server.asked).toBe(1);
});

test("a defect gives its details to copy: what, where, and in which browser", async () => {
  const user = userEvent.setup();
  const Broken = (): never => {
    throw new RangeError("layer 13 of 12");
  };
  render(
    <ErrorBoundary>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert")).toHaveTextContent("layer 13 of 12");
  await user.click(screen.getByRole("button", { name: "Copy the details" }));
  expect(await screen.findByText("Copied")).toBeVisible();
  const copied = await navigator.clipboard.readText();
  expect(copied).toContain("RangeError: layer 13 of 12");
  expect(copied).toContain("Broken");
  expect(copied).toContain(window.location.href);
  expect(copied).toContain(navigator.userAgent);
});
