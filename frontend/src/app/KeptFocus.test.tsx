/** Where the keyboard is after the control that had the focus has gone. */
import { screen } from "@testing-library/react";
import { type HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openAt, setUpNotes, tokens } from "@/test/notes";
import { EVENTS, openAnswer } from "@/test/recordedStream";
import { server } from "@/test/server";

setUpNotes();

function chatThatRuns() {
  let answer: ReturnType<typeof openAnswer> | undefined;
  server.use(
    http.post("*/api/chat", ({ request }) => {
      answer = openAnswer(request.signal);
      return answer.response as unknown as HttpResponse<string>;
    }),
  );
  return () => answer;
}

test("after Regenerate the focus is on the text that is written, and after Stop on the message", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  const answer = chatThatRuns();
  const regenerate = screen.getByRole("button", { name: "Regenerate" });
  regenerate.focus();
  await user.keyboard("{Enter}");
  const stop = await screen.findByRole("button", { name: "Stop" });
  expect(regenerate).not.toBeInTheDocument();
  expect(await tokens()).toHaveFocus();

  for (const event of EVENTS.slice(0, 2)) answer()?.send(event);
  stop.focus();
  await user.keyboard("{Enter}");
  await screen.findByRole("button", { name: "Send" });
  expect(screen.getByRole("textbox", { name: "Message" })).toHaveFocus();
});
