/** What the tests of notes begin with: the whole page, a server that keeps lists of notes, and where to look. */
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, delay, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { App } from "@/app/App";
import type { ConversationChanges } from "@/features/library/conversations";
import type { Note } from "@/model/notes";
import { branch, savedConversation, summary } from "./saved";
import { server } from "./server";

/** What the server holds of each branch, and the lists that it was sent. */
export let held: Record<string, Note[]>;
export let sent: Note[][];
/** How often each list was replaced; a change of another revision is refused. */
let revisions: Record<string, number>;
let meanwhile: (() => void) | null;

/** What another page does between the reading of a list and its writing. */
export const doMeanwhile = (does: (() => void) | null): void => {
  meanwhile = does;
};

export const write = (id: string, notes: Note[]): void => {
  held[id] = notes;
  revisions[id] = (revisions[id] ?? 0) + 1;
};

export const note = (start: number, end: number, text: string, layer: number | null = null): Note => ({
  start,
  end,
  layer,
  text,
});

/** Gives each test of a file a server with no notes yet. */
export function setUpNotes(): void {
  beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
  beforeEach(() => {
    held = {};
    sent = [];
    revisions = {};
    meanwhile = null;
    server.use(
      // The read-outs are none of these tests' business; one that failed would be a second alert.
      http.post("*/api/lens", () => delay("infinite")),
      http.get("*/api/conversations/:id", ({ params }) => {
        const id = String(params["id"]);
        const branches = [branch("conversation-1"), branch("branch-2", { from_index: 6 })];
        const annotations_revision = revisions[id] ?? 0;
        const notes = held[id] ?? [];
        return HttpResponse.json(savedConversation({ id, branches, notes, annotations_revision }));
      }),
      http.patch("*/api/conversations/:id", async ({ request, params }) => {
        const { notes, annotations_revision } = (await request.json()) as ConversationChanges;
        const id = String(params["id"]);
        meanwhile?.();
        if (annotations_revision !== (revisions[id] ?? 0)) {
          const error = { code: "annotations_changed", message: "Late.", hint: null, param: null };
          return HttpResponse.json({ error: { ...error, request_id: "r" } }, { status: 409 });
        }
        if (notes !== undefined && notes !== null) {
          sent.push(notes);
          write(id, notes);
        }
        return HttpResponse.json(summary("conversation-1"));
      }),
    );
  });
  afterEach(() => {
    server.resetHandlers();
    window.getSelection()?.removeAllRanges();
    window.history.replaceState(null, "", "/");
  });
  afterAll(() => server.close());
}

export async function openAt(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup({ delay: null });
  render(<App />);
  await screen.findByText("Ready");
  return user;
}

export const tokens = () => screen.findByRole("listbox", { name: "Tokens of the conversation" });
export const token = async (name: string) => within(await tokens()).getByRole("option", { name });
/** Once it takes the pointer, which a dialog that had to be loaded does only a moment after it is there. */
export const field = async () => {
  const found = await screen.findByRole("textbox", { name: "Text of the note" });
  await waitFor(() => expect(screen.getByRole("dialog")).toHaveStyle({ pointerEvents: "auto" }));
  return found;
};
export const list = () => screen.findByRole("region", { name: "Notes" });
