import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Token } from "@/model/timeline";
import { madeUpTokens } from "@/test/lensData";
import { Replies } from "./Replies";

const START = 4;
const NAMES = { plain: "Plain model", steered: "With the change" };

const tokens = madeUpTokens(8).map((token) => ({
  ...token,
  role: token.index < START ? ("user" as const) : ("assistant" as const),
}));
/** The same up to this index. */
const changedFrom = (index: number): Token[] =>
  tokens.map((token) =>
    token.index < index ? token : { ...token, id: token.id + 1, text: " other", bytes: btoa(" other") },
  );

function shown(steered: readonly Token[], onCompare: (() => void) | null = null) {
  const onSelect = vi.fn();
  render(
    <Replies
      plain={tokens}
      steered={steered}
      start={START}
      names={NAMES}
      onSelect={onSelect}
      onCompare={onCompare}
    />,
  );
  return onSelect;
}

test("the first token that differs is named, and a press selects it in the steered reply", async () => {
  const onSelect = shown(changedFrom(6));
  expect(screen.getByText(/They first differ at index 6/)).toBeInTheDocument();
  const steered = screen.getByRole("group", { name: "With the change" });
  await userEvent.click(screen.getByRole("button", { name: /other/ }));
  expect(onSelect).toHaveBeenCalledWith(6);
  expect(steered.querySelectorAll("mark")).toHaveLength(1);
  expect(screen.getByRole("group", { name: "Plain model" }).querySelectorAll("mark")).toHaveLength(1);
});

test("replies that are alike have no mark, and say so", () => {
  shown(tokens);
  expect(screen.getByText(/do not differ in any token/)).toBeInTheDocument();
  expect(document.querySelectorAll("mark")).toHaveLength(0);
});

test("a steered reply without a token yet says so", () => {
  shown(tokens.slice(0, START));
  expect(screen.getByText("Nothing is written yet.")).toBeInTheDocument();
});

test("both can be compared once the reply has ended", async () => {
  const onCompare = vi.fn();
  shown(changedFrom(6), onCompare);
  await userEvent.click(screen.getByRole("button", { name: "Compare layer by layer" }));
  expect(onCompare).toHaveBeenCalledOnce();
});

test("one reply scrolls with the other, by the same share", () => {
  shown(changedFrom(6));
  const [plain, steered] = Object.values(NAMES).map((name) => screen.getByRole("group", { name }));
  for (const [box, height] of [
    [plain, 300],
    [steered, 500],
  ] as const) {
    Object.defineProperty(box, "scrollHeight", { value: height });
    Object.defineProperty(box, "clientHeight", { value: 100 });
  }
  const scrollTo = vi.fn();
  Object.defineProperty(steered, "scrollTo", { value: scrollTo });
  Object.defineProperty(plain, "scrollTop", { value: 50 });
  plain?.dispatchEvent(new Event("scroll", { bubbles: true }));
  expect(scrollTo).toHaveBeenCalledWith({ top: 100 });
});
