import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { ApiError, serverUnreachable } from "@/base/errors";
import type { ServerState } from "@/features/server/server";
import { LensFailure } from "./LensFailure";

const server: { phase: ServerState["phase"] } = { phase: "ready" };
vi.mock("@/features/server/server", () => ({ useServer: () => server }));

test("while the server is away it is a quiet line, and asks again by itself once it is back", () => {
  server.phase = "lost";
  const onRetry = vi.fn();
  const failure = (
    <LensFailure title="The layers could not be read." error={serverUnreachable()} onRetry={onRetry} />
  );
  const { rerender } = render(failure);
  expect(screen.getByRole("status")).toHaveTextContent("tried again once the server responds");
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(onRetry).not.toHaveBeenCalled();
  server.phase = "ready";
  rerender(
    <LensFailure title="The layers could not be read." error={serverUnreachable()} onRetry={onRetry} />,
  );
  expect(onRetry).toHaveBeenCalledOnce();
});

test("any other failure says what to do, with code and request behind Details", () => {
  server.phase = "ready";
  const error = new ApiError({ code: "model_failed", message: "It failed.", request_id: "r7" });
  render(<LensFailure title="The layers could not be read." error={error} onRetry={vi.fn()} />);
  expect(screen.getByRole("alert")).toHaveTextContent("It failed.");
  expect(screen.getByText(/r7/)).not.toBeVisible();
  expect(screen.getByText("Details")).toBeVisible();
});
