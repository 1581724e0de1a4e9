import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Note } from "@/model/notes";
import { savedConversation, summary } from "@/test/saved";
import { refused, server } from "@/test/server";
import { ATTEMPTS, EARLY_ATTEMPTS, changeAnnotations } from "./annotations";
import type { ConversationChanges } from "./conversations";

vi.mock("@/base/pause", () => ({ pause: () => Promise.resolve() }));

const note = (text: string): Note => ({ start: 0, end: 1, layer: null, text });

let held: Note[];
let revision: number;
/** What another page does between each reading and the writing that follows it. */
let meanwhile: () => void;
let patches: number;

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
beforeEach(() => {
  held = [];
  revision = 3;
  meanwhile = () => undefined;
  patches = 0;
  server.use(
    http.get("*/api/conversations/:id", () => {
      const answer = savedConversation({ notes: held, annotations_revision: revision });
      meanwhile();
      return HttpResponse.json(answer);
    }),
    http.patch("*/api/conversations/:id", async ({ request }) => {
      patches += 1;
      const body = (await request.json()) as ConversationChanges;
      if (body.annotations_revision !== revision) return refused("annotations_changed", 409);
      held = body.notes ?? held;
      revision += 1;
      return HttpResponse.json(summary("conversation-1"));
    }),
  );
});
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const add = (text: string) =>
  changeAnnotations("conversation-1", (now) => ({ changes: { notes: [...now.notes, note(text)] } }));

const writeFromElsewhere = (text: string): void => {
  held = [...held, note(text)];
  revision += 1;
};

test("the change names the revision that it was made to", async () => {
  await expect(add("mine")).resolves.toEqual({ changes: { notes: [note("mine")] } });
  expect([held, revision, patches]).toEqual([[note("mine")], 4, 1]);
});

test("when another page was faster, its notes are read and the change is laid over them", async () => {
  let left = 2;
  meanwhile = () => {
    if (left > 0) writeFromElsewhere(`other ${left}`);
    left -= 1;
  };
  await add("mine");
  expect(held).toEqual([note("other 2"), note("other 1"), note("mine")]);
  expect(patches).toBe(3);
});

test("it ends when another page is faster every time, and tells why", async () => {
  meanwhile = () => writeFromElsewhere("again");
  await expect(add("mine")).rejects.toMatchObject({ code: "annotations_changed" });
  expect(patches).toBe(ATTEMPTS);
});

test("what fails for another reason is not tried again", async () => {
  server.use(
    http.patch("*/api/conversations/:id", () => {
      patches += 1;
      return refused("storage_failed", 507);
    }),
  );
  await expect(add("mine")).rejects.toMatchObject({ code: "storage_failed" });
  expect(patches).toBe(1);
});

test.each([
  ["conversation_not_found", 404],
  ["conflict", 409],
  ["invalid_request", 422],
])("a reply that was stopped is waited for, while the answer is %s", async (code, status) => {
  let left = EARLY_ATTEMPTS - 1;
  server.use(
    http.patch("*/api/conversations/:id", () => {
      if (left === 0) return undefined; // the server above
      left -= 1;
      writeFromElsewhere(`before ${left}`);
      return refused(code, status);
    }),
  );
  await add("mine");
  expect(held.map(({ text }) => text)).toEqual(["before 2", "before 1", "before 0", "mine"]);
});

test("it ends when the reply is never stored, and tells why", async () => {
  let reads = 0;
  server.use(
    http.get("*/api/conversations/:id", () => {
      reads += 1;
      return refused("conversation_not_found", 404);
    }),
  );
  await expect(add("mine")).rejects.toMatchObject({ code: "conversation_not_found" });
  expect([reads, patches]).toEqual([EARLY_ATTEMPTS, 0]);
});
