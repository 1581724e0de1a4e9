import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { ConversationChanges } from "@/features/library/conversations";
import { branch, savedConversation, summary } from "@/test/saved";
import { refused, server } from "@/test/server";
import type { PinnedIds } from "./pins";
import { pinsWritten, writePins, writePinsLeaving } from "./pinWrites";

vi.mock("@/base/pause", () => ({ pause: () => Promise.resolve() }));

const ID = "conversation-1";
const pins = (token_ids: number[][], positions: number[] = []) => ({ token_ids, positions });

let held: NonNullable<ConversationChanges["pins"]>;
let revision: number;
let nTokens: number;
/** What happens between each reading and the writing that follows it. */
let meanwhile: () => void;
/** Answers the next changes with these codes, in this order. */
let refusals: string[];
let changes: { readonly body: ConversationChanges; readonly keepalive: boolean }[];

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
beforeEach(() => {
  held = pins([]);
  revision = 3;
  nTokens = 8;
  meanwhile = () => undefined;
  refusals = [];
  changes = [];
  server.use(
    http.get("*/api/conversations/:id", () => {
      const branches = [branch("another", { n_tokens: 100 }), branch(ID, { n_tokens: nTokens })];
      const answer = savedConversation({ id: ID, branches, pins: held, annotations_revision: revision });
      meanwhile();
      return HttpResponse.json(answer);
    }),
    http.patch("*/api/conversations/:id", async ({ request }) => {
      const body = (await request.json()) as ConversationChanges;
      changes.push({ body, keepalive: request.keepalive });
      const refusal = refusals.shift();
      if (refusal !== undefined) return refused(refusal, 404);
      const { pins: own, annotations_revision: continued } = body;
      if (continued !== undefined && continued !== revision) return refused("annotations_changed", 409);
      if (own?.positions?.some((position) => position >= nTokens)) return refused("invalid_request", 422);
      held = own ?? held;
      revision += 1;
      return HttpResponse.json(summary(ID));
    }),
  );
});
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const write = (own: PinnedIds, saved: PinnedIds): Promise<PinnedIds> => writePins(ID, { pins: own, saved });

test("what another page pins between the reading and the writing stays", async () => {
  let left = 1;
  meanwhile = () => {
    if (left > 0) {
      held = pins([[9]], [4]);
      revision += 1;
    }
    left -= 1;
  };
  await write(pins([[1]]), pins([]));
  expect(held).toEqual(pins([[1], [9]], [4]));
  expect(changes.map(({ body }) => body.annotations_revision)).toEqual([3, 4]);
});

test("a token that is let go while it is on its way does not come back", async () => {
  held = pins([[25]]);
  const first = write(pins([[25], [24]]), pins([[25]]));
  // Queued before the first is done, so with what was saved then.
  const second = write(pins([[25], [26]]), pins([[25]]));
  await Promise.all([first, second]);
  expect(changes.map(({ body }) => body.pins?.token_ids)).toEqual([
    [[25], [24]],
    [[25], [26]],
  ]);
  expect(held).toEqual(pins([[25], [26]]));
});

test("after one that failed the next knows what was written before it", async () => {
  const writes = [
    write(pins([[1]]), pins([])),
    write(pins([[1], [2]]), pins([])),
    write(pins([[3]]), pins([])),
  ];
  meanwhile = () => {
    if (changes.length === 1) refusals = ["storage_failed"];
  };
  expect((await Promise.allSettled(writes)).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(held).toEqual(pins([[3]]));
});

test("what is written later is told by the page again", async () => {
  await write(pins([[1]]), pins([]));
  await expect(pinsWritten(ID)).resolves.toBeNull();
  held = pins([[1], [2]]);
  await write(pins([[3]]), pins([[1], [2]]));
  expect(held).toEqual(pins([[3]]));
});

test("a reply that is not stored yet is waited for", async () => {
  refusals = ["conversation_not_found"];
  await write(pins([[1]]), pins([]));
  expect(held).toEqual(pins([[1]]));
  expect(changes).toHaveLength(2);
});

test("a position is kept once its text is stored", async () => {
  meanwhile = () => {
    if (changes.length === 2) nTokens = 10;
  };
  await write(pins([], [2, 9]), pins([]));
  expect(held).toEqual(pins([], [2, 9]));
});

test("a position whose text is not stored is left out, the others are kept, and that is told", async () => {
  await expect(write(pins([[1]], [2, 9]), pins([]))).resolves.toEqual(pins([[1]], [2]));
  expect(held).toEqual(pins([[1]], [2]));
});

test("what the page was told while a write was on its way is known to the next one", async () => {
  held = pins([[9]]);
  const first = write(pins([[1]]), pins([]));
  // The other page's 9 was seen here, and let go.
  const second = write(pins([[1], [2]]), pins([[1], [9]]));
  await Promise.all([first, second]);
  expect(held).toEqual(pins([[1], [2]]));
});

test("what is written when the page is left outlives it and asks for nothing", async () => {
  server.use(http.get("*/api/conversations/:id", () => HttpResponse.error()));
  await writePinsLeaving(ID, { pins: pins([[1]], [2]), saved: pins([]) });
  expect(changes).toEqual([{ body: { pins: pins([[1]], [2]) }, keepalive: true }]);
  expect(held).toEqual(pins([[1]], [2]));
});

test("what is written on the page does not outlive it", async () => {
  await write(pins([[1]]), pins([]));
  expect(changes.map(({ keepalive }) => keepalive)).toEqual([false]);
});
