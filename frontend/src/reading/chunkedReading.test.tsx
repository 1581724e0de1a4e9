import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { RequestLane } from "@/base/lane";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { ChunkedReader } from "./chunkedReader";
import { useChunkedReading } from "./chunkedReading";

class OneChunk extends ChunkedReader {
  isRead = false;
  isBroken = true;

  constructor() {
    super(new RequestLane(), () => (this.isRead ? 1 : 0));
  }

  readonly read = (signal: AbortSignal): Promise<void> =>
    this.readAll(
      {
        nextGap: () => (this.isRead ? null : { start: 0, end: 1 }),
        readSpan: () => {
          if (this.isBroken) return Promise.reject(new RangeError("columns of another model"));
          this.isRead = true;
          return Promise.resolve();
        },
      },
      signal,
    );
}

const read = (own: OneChunk, signal: AbortSignal): Promise<void> => own.read(signal);
const isComplete = (own: OneChunk): boolean => own.isRead;

function Reading({ reader }: { readonly reader: OneChunk }) {
  return <p>{useChunkedReading(reader, "ready", read, isComplete).status}</p>;
}

test("a defect inside a reader ends up in the error boundary, and the view reads again when it is shown again", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const reader = new OneChunk();
  render(
    <ErrorBoundary>
      <Reading reader={reader} />
    </ErrorBoundary>,
  );
  expect(await screen.findByRole("alert")).toHaveTextContent("columns of another model");
  reader.isBroken = false;
  await userEvent.click(screen.getByRole("button", { name: "Show it again" }));
  expect(await screen.findByText("done")).toBeVisible();
});

test("a defect that comes after the view was left disturbs nothing", async () => {
  const reader = new OneChunk();
  let fail: (reason: Error) => void = () => undefined;
  const hanging = (): Promise<void> => new Promise((_, reject) => (fail = reject));
  function Hanging() {
    return <p>{useChunkedReading(reader, "ready", hanging, isComplete).status}</p>;
  }
  const { unmount } = render(<Hanging />);
  await waitFor(() => expect(screen.getByText("loading")).toBeVisible());
  unmount();
  await act(async () => {
    fail(new RangeError("too late"));
    await Promise.resolve();
  });
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});
