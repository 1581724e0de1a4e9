import { screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { visitPair } from "@/features/pair/pair";
import { changed, tokens } from "@/test/compare";
import { MADE_UP, madeUpLens, madeUpTimeline } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { branch, savedConversation } from "@/test/saved";
import Trajectories from "./Trajectories";

afterEach(() => vi.unstubAllGlobals());

test("a pair is drawn as dashed lines, read in B at the aligned position and by B's own ids", async () => {
  const server = fakeServer(tokens);
  server.answer = (request) =>
    Response.json(madeUpLens(request.conversation_id === "other" ? changed : tokens, request));
  server.saved = (path) =>
    Response.json(
      savedConversation({
        model: MADE_UP,
        id: path.endsWith("/other") ? "other" : "pair-lines",
        branches: [branch(path.endsWith("/other") ? "other" : "pair-lines")],
        title: "The Seine",
        tokens: changed,
      }),
    );
  visitPair({ vs: "saved.other" }, "pair-lines");
  renderView(Trajectories, madeUpTimeline(tokens, "pair-lines"), { index: 6 });
  // Index 6 of A is predicted at 5, beside index 6 of B.
  await waitFor(() =>
    expect(
      server.asked.filter((each) => each.conversation_id === "other").map((each) => each.positions),
    ).toEqual([[6, 7]]),
  );
  expect(await screen.findByText(/^Solid: A\. Dashed: B/)).toHaveTextContent(/The Seine.*read at index 6/);
  await waitFor(() =>
    expect(document.querySelectorAll('path[stroke-dasharray="4 4"]').length).toBeGreaterThan(0),
  );
  expect(screen.getByRole("slider", { name: "Layer" })).toHaveAttribute(
    "aria-valuetext",
    expect.stringMatching(/B, .* at index 6: /) as string,
  );
});
