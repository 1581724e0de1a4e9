import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { SelectionProvider, useSelection } from "@/features/selection/selection";
import { IDENTITY, PROMPT, token } from "@/test/recordedStream";
import PlainTranscript from "./PlainTranscript";
import { SelectHint } from "./SelectHint";

test("plain text has one article for each turn, with the exact text and without the template", () => {
  const tokens = [...PROMPT, token(6, " **Grüß", "assistant"), token(7, "**\n\n`dich`", "assistant")];
  render(
    <PlainTranscript
      mode="chat"
      modelName="tiny"
      timeline={{
        conversationId: "one",
        model: IDENTITY,
        tokens,
        turns: [{ promptStart: 0, replyStart: 6, userText: null, seed: 1, finish: "stop" }],
        status: "settled",
      }}
    />,
  );
  const said = screen.getAllByRole("article").map((turn) => turn.querySelector("p")?.textContent);
  expect(said).toEqual([" Hello", " **Grüß**\n\n`dich`"]);
  expect(screen.getAllByRole("article").map((turn) => turn.querySelector("p")?.getAttribute("lang"))).toEqual(
    ["", ""],
  );
  expect(screen.getByRole("article", { name: "You" })).toBeVisible();
  expect(screen.getByRole("heading", { name: "tiny" })).toBeVisible();
});

test("the hint to select a token does not come back after the first selection", async () => {
  function Select() {
    const { select } = useSelection();
    return (
      <>
        <button onClick={() => select(1)}>select</button>
        <button onClick={() => select(null)}>let go</button>
      </>
    );
  }
  const page = (
    <SelectionProvider>
      <Select />
      <SelectHint />
    </SelectionProvider>
  );
  const { unmount } = render(page);
  expect(screen.getByText(/^Select any token/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "select" }));
  unmount();
  render(page);
  await userEvent.click(screen.getByRole("button", { name: "let go" }));
  expect(screen.queryByText(/^Select any token/)).not.toBeInTheDocument();
});
