import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { TokenHead } from "./TokenHead";

afterEach(() => vi.unstubAllGlobals());

const tokens = madeUpTokens(4);

function renderHead(index: number) {
  fakeServer(tokens);
  return renderView(
    ({ timeline }) => (
      <TokenHead timeline={timeline} token={timeline.tokens[index]} pair={<p>vs France</p>} />
    ),
    madeUpTimeline(tokens, "head"),
    { index },
  );
}

test("one line has the token, its index, its probability and its rank, and the pair it is compared with", async () => {
  renderHead(2);
  expect(screen.getByRole("heading", { name: /^Selected token/ })).toBeVisible();
  expect(screen.getByText("index 2")).toBeVisible();
  expect(await screen.findByText(/^rank/)).toHaveTextContent(/^rank [\d,]+$/);
  expect(screen.getByText(/^p/)).toHaveTextContent(/^p [<>\d]/);
  expect(screen.getByText("vs France")).toBeVisible();
});

test("what has no room in the line opens from the token, by keyboard as well", async () => {
  renderHead(2);
  await screen.findByText(/^rank/);
  screen
    .getByRole("heading", { name: /^Selected token/ })
    .querySelector("button")
    ?.focus();
  await userEvent.keyboard("{Enter}");
  const details = await screen.findByRole("dialog", { name: "Token" });
  await within(details).findByText("Bytes");
  expect(details).toHaveTextContent(`Id${tokens[2]?.id ?? "missing"}`);
  expect(details).toHaveTextContent(/Bytes.*Part of.*Surprisal/);
});

test("what the pair has opened stays open when a token becomes selected", async () => {
  fakeServer(tokens);
  const timeline = madeUpTimeline(tokens, "head");
  function Head() {
    const [index, setIndex] = useState<number | null>(null);
    return (
      <>
        <button onClick={() => setIndex(2)}>Select</button>
        <TokenHead
          timeline={timeline}
          token={index === null ? undefined : timeline.tokens[index]}
          pair={<details>vs France</details>}
        />
      </>
    );
  }
  renderView(Head, timeline, { index: null });
  const pair = screen.getByText("vs France");
  await userEvent.click(screen.getByRole("button", { name: "Select" }));
  expect(await screen.findByRole("heading", { name: /^Selected token/ })).toBeVisible();
  expect(screen.getByText("vs France")).toBe(pair);
});

test("the first token says that nothing predicted it", () => {
  renderHead(0);
  expect(screen.getByText(/^The first token/)).toBeVisible();
  expect(screen.queryByText(/^rank/)).not.toBeInTheDocument();
});
