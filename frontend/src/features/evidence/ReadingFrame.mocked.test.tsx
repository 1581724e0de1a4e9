import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/base/errors";
import type { ReadStatus } from "@/reading/readState";
import { ReadingFrame } from "./ReadingFrame";

vi.mock("@/features/server/server", () => ({ useServer: () => ({ phase: "ready" }) }));

const FAILURE = new ApiError({ code: "out_of_memory", message: "The model is out of memory." });

function renderFrame(status: ReadStatus, hasData: boolean) {
  const retry = vi.fn();
  render(
    <ReadingFrame
      reading={{ status, error: status === "failed" ? FAILURE : null, retry }}
      what="The layers"
      hasData={hasData}
    >
      <p>the view</p>
    </ReadingFrame>,
  );
  return retry;
}

const isDrawn = (): boolean => screen.queryByText("the view") !== null;

test.each([
  ["none", false, null],
  ["awaited", false, "The layers are read as soon as the model is loaded."],
  ["deferred", false, "The model is busy with the reply. The layers are read as soon as it has ended."],
  ["unsaved", false, /The layers can be read once the conversation is opened again/],
  ["loading", true, null],
  ["cancelled", false, "Reading was stopped; nothing is read yet."],
  ["failed", false, "The layers could not be read."],
] as const)("with nothing read yet, “%s” is drawn as such", (status, hasStandIn, sentence) => {
  renderFrame(status, false);
  expect(isDrawn()).toBe(hasStandIn);
  if (sentence !== null) expect(screen.getByText(sentence)).toBeVisible();
});

test.each(["awaited", "deferred", "unsaved", "loading", "cancelled", "failed", "done"] as const)(
  "what is there is drawn while the reading is “%s”",
  (status) => {
    renderFrame(status, true);
    expect(isDrawn()).toBe(true);
  },
);

test("what failed or was stopped can be read on", async () => {
  const afterFailure = renderFrame("failed", true);
  expect(screen.getByText(FAILURE.message)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(afterFailure).toHaveBeenCalledOnce();
  const afterStop = renderFrame("cancelled", true);
  await userEvent.click(screen.getByRole("button", { name: "Read on" }));
  expect(afterStop).toHaveBeenCalledOnce();
});

test("a reading in parts says itself what was stopped, and what failed of it failed in part", () => {
  const frame = (status: ReadStatus) => (
    <ReadingFrame
      reading={{ status, error: status === "failed" ? FAILURE : null, retry: vi.fn() }}
      what="The layers"
      hasData
      title={<p>the finding</p>}
      progress={<p>3 of 9 read</p>}
      detail={<p>the cell</p>}
      caption={<p>how it reads</p>}
    >
      <p>the view</p>
    </ReadingFrame>
  );
  const { container, rerender } = render(frame("cancelled"));
  expect(container).toHaveTextContent(/^the finding\s?the view\s?3 of 9 read\s?the cell\s?how it reads$/);
  rerender(frame("failed"));
  expect(screen.getByText("The layers could not be read in full.")).toBeVisible();
});
