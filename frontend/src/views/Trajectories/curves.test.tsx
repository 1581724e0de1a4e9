import { expect, test } from "vitest";
import { RequestLane } from "@/base/lane";
import { madeUpLens, madeUpTokens } from "@/test/lensData";
import { IDENTITY } from "@/test/recordedStream";
import type { LensReadRequest } from "@/types/schemas";
import { CurveReader } from "./curves";

const tokens = madeUpTokens(20);
const OF = { source: { conversation_id: "c" }, model: IDENTITY, kind: "tuned" } as const;
const never = (): AbortSignal => new AbortController().signal;

function recorded() {
  const asked: LensReadRequest[] = [];
  let running = 0;
  let most = 0;
  const reader = new CurveReader(new RequestLane(), async (body, _, signal) => {
    asked.push(body);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve));
    running -= 1;
    signal.throwIfAborted();
    return madeUpLens(tokens, body);
  });
  return { reader, asked, most: () => most };
}

test("what is wanted at once shares a request per position, and gets the server's numbers", async () => {
  const { reader, asked } = recorded();
  const [a, b, c] = await Promise.all([
    reader.read({ ...OF, position: 4, tokenId: 1003 }, never()),
    reader.read({ ...OF, position: 4, tokenId: 1008 }, never()),
    reader.read({ ...OF, position: 9, tokenId: 1003 }, never()),
  ]);
  expect(asked).toEqual([
    {
      conversation_id: "c",
      kind: "tuned",
      positions: [4, 5],
      targets: [1003, 1008],
      top_k: 1,
      include_tokens: false,
    },
    {
      conversation_id: "c",
      kind: "tuned",
      positions: [9, 10],
      targets: [1003],
      top_k: 1,
      include_tokens: false,
    },
  ]);
  const lens = madeUpLens(tokens, { positions: [4, 5], targets: [1003, 1008] });
  expect(a.probability).toEqual(lens.targets[0]?.probability.map((row) => row[0]));
  expect(b.rank).toEqual(lens.targets[1]?.rank.map((row) => row[0]));
  expect([a.tokenId, b.tokenId, c.tokenId]).toEqual([1003, 1008, 1003]);
  expect(a.layers[0]).toBe(0);
});

test("lenses share no request", async () => {
  const { reader, asked } = recorded();
  await Promise.all([
    reader.read({ ...OF, position: 4, tokenId: 1003 }, never()),
    reader.read({ ...OF, kind: "logit", position: 4, tokenId: 1003 }, never()),
  ]);
  expect(asked.map((body) => body.kind)).toEqual(["tuned", "logit"]);
});

test("one request is under way at a time", async () => {
  const { reader, most } = recorded();
  await Promise.all([1, 2, 3, 4].map((position) => reader.read({ ...OF, position, tokenId: 1003 }, never())));
  expect(most()).toBe(1);
});

test("no request has more targets than the server takes", async () => {
  const { reader, asked } = recorded();
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => reader.read({ ...OF, position: 4, tokenId: 1000 + i }, never())),
  );
  expect(asked.map((body) => body.targets?.length)).toEqual([32, 8]);
});

test("a request is aborted when nobody waits for it any more, not sooner", async () => {
  const signals: AbortSignal[] = [];
  const reader = new CurveReader(new RequestLane(), (_, __, signal) => {
    signals.push(signal);
    return new Promise((__, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  });
  const [one, other] = [new AbortController(), new AbortController()];
  const reads = [
    reader.read({ ...OF, position: 4, tokenId: 1003 }, one.signal),
    reader.read({ ...OF, position: 4, tokenId: 1008 }, other.signal),
  ];
  const outcomes = Promise.allSettled(reads);
  await expect.poll(() => signals.length).toBe(1);
  one.abort();
  expect(signals[0]?.aborted).toBe(false);
  other.abort();
  expect(signals[0]?.aborted).toBe(true);
  expect((await outcomes).map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
});

test("a request that was given up does not hold up the next one, even if it never ends", async () => {
  const reader = new CurveReader(new RequestLane(), (body) =>
    body.positions?.[0] === 4 ? new Promise(() => undefined) : Promise.resolve(madeUpLens(tokens, body)),
  );
  const controller = new AbortController();
  const stuck = Promise.allSettled([reader.read({ ...OF, position: 4, tokenId: 1003 }, controller.signal)]);
  const next = reader.read({ ...OF, position: 5, tokenId: 1003 }, never());
  setTimeout(() => controller.abort(), 10);
  await expect(next).resolves.toMatchObject({ tokenId: 1003 });
  expect((await stuck)[0].status).toBe("rejected");
});

test("what is aborted before its turn is not sent", async () => {
  const { reader, asked } = recorded();
  const controller = new AbortController();
  const read = reader.read({ ...OF, position: 4, tokenId: 1003 }, controller.signal);
  controller.abort();
  await expect(read).rejects.toThrow();
  expect(asked).toEqual([]);
});

test("a failure goes to all that waited for it, and the next request is sent all the same", async () => {
  let attempts = 0;
  const reader = new CurveReader(new RequestLane(), (body) => {
    attempts += 1;
    return attempts === 1 ? Promise.reject(new Error("no")) : Promise.resolve(madeUpLens(tokens, body));
  });
  const first = reader.read({ ...OF, position: 4, tokenId: 1003 }, never());
  const second = reader.read({ ...OF, position: 5, tokenId: 1003 }, never());
  await expect(first).rejects.toThrow("no");
  await expect(second).resolves.toMatchObject({ tokenId: 1003 });
});

test("an answer without the trajectory that was asked for is an error, not an empty line", async () => {
  const reader = new CurveReader(new RequestLane(), (body) =>
    Promise.resolve({ ...madeUpLens(tokens, body), targets: [] }),
  );
  await expect(reader.read({ ...OF, position: 4, tokenId: 1003 }, never())).rejects.toMatchObject({
    code: "bad_answer",
  });
});
