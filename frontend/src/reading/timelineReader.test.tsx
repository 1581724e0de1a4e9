import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RequestLane } from "@/base/lane";
import { MADE_UP, idOf, madeUpLens, madeUpTokens } from "@/test/lensData";
import { LENS } from "@/test/recordedStream";
import type { components } from "@/types/api";
import { RankColumns } from "./rankColumns";
import { RankReader, TimelineReader } from "./timelineReader";

type LensReadRequest = components["schemas"]["LensReadRequest"];

const OF = { conversationId: "c", model: MADE_UP, kind: "logit" } as const;
const LENGTH = 100;
const tokens = madeUpTokens(LENGTH);

/** Spans asked for so far. */
let asked: [number, number][];
let underWay: number;
let mostUnderWay: number;
/** Tokens that the server knows of. */
let known: number;

const busy = () =>
  Response.json(
    { error: { code: "queue_full", message: "8 requests wait.", hint: null, param: null, request_id: "r" } },
    { status: 429 },
  );

/** Answers lens requests; `refuse` may answer in its place. */
function serve(refuse: (nth: number) => Response | null = () => null): void {
  vi.stubGlobal("fetch", async (request: Request) => {
    const body = (await request.json()) as LensReadRequest;
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay -= 1;
    request.signal.throwIfAborted();
    const refusal = refuse(asked.length);
    asked.push(body.positions ?? [0, 0]);
    return refusal ?? Response.json(madeUpLens(tokens.slice(0, known), body));
  });
}

beforeEach(() => {
  asked = [];
  underWay = 0;
  mostUnderWay = 0;
  known = LENGTH;
});
afterEach(() => vi.unstubAllGlobals());

const positionsAsked = (): number[] =>
  asked.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i));

describe("reading a timeline", () => {
  test("asks for every position once, the newest first, one request at a time", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    await reader.read(LENGTH, new AbortController().signal);
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
    expect(positionsAsked().toSorted((a, b) => a - b)).toEqual(tokens.map((token) => token.index));
    expect(asked[0]?.[1]).toBe(LENGTH);
    expect(mostUnderWay).toBe(1);
    expect(reader.getProgress()).toMatchObject({ error: null });
  });

  test("asks for every position once, also where two read it at the same time", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    const { signal } = new AbortController();
    await Promise.all([reader.read(LENGTH, signal), reader.read(LENGTH, signal)]);
    expect(positionsAsked().toSorted((a, b) => a - b)).toEqual(tokens.map((token) => token.index));
    expect(reader.getProgress()).toMatchObject({ error: null });
  });

  test("asks for what is on the screen before the rest", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    reader.show({ start: 30, end: 40 });
    await reader.read(LENGTH, new AbortController().signal);
    expect(asked[0]?.[0]).toBe(30);
  });

  test("asks again only for the last column when the conversation has grown", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    known = 60;
    await reader.read(known, new AbortController().signal);
    expect(reader.columns.cell(59, 0)?.nextRank).toBeNull();
    asked = [];
    known = LENGTH;
    await reader.read(known, new AbortController().signal);
    expect(positionsAsked().toSorted((a, b) => a - b)).toEqual(
      tokens.map((token) => token.index).filter((index) => index >= 59),
    );
    expect(reader.columns.cell(59, 0)?.nextRank).not.toBeNull();
  });

  test("stops asking when it is aborted", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    const controller = new AbortController();
    reader.subscribe(() => {
      if (reader.columns.version === 1) controller.abort();
    });
    await reader.read(LENGTH, controller.signal);
    expect(asked).toHaveLength(1);
    expect(reader.getProgress()).toMatchObject({ error: null });
  });

  test("keeps what was read before a failure and goes on from there", async () => {
    serve((nth) => (nth === 1 ? Response.json({}, { status: 500 }) : null));
    const reader = new TimelineReader(OF, new RequestLane());
    await reader.read(LENGTH, new AbortController().signal);
    const before = reader.columns.readCount(LENGTH);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(LENGTH);
    expect(reader.getProgress().error).toMatchObject({ code: "bad_answer" });
    await reader.read(LENGTH, new AbortController().signal);
    expect(reader.getProgress().error).toBeNull();
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
  });

  test("waits and asks again when the queue is full", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 100 });
    serve((nth) => (nth < 2 ? busy() : null));
    const reader = new TimelineReader(OF, new RequestLane());
    await reader.read(LENGTH, new AbortController().signal);
    vi.useRealTimers();
    expect(asked.slice(0, 2)).toEqual([asked[2], asked[2]]);
    expect(reader.getProgress().error).toBeNull();
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
  });

  test("takes the read-outs that came with the tokens and does not ask for them", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    const streamed = tokens.map((token) => ({
      ...token,
      lens:
        token.index < 90
          ? null
          : Array.from({ length: 13 }, (_, layer) => ({
              layer,
              label: String(layer),
              predictions: [],
              entropy_nats: 1,
              kl_to_final_nats: 0,
              actual: { probability: 0.5, rank: 1 },
            })),
    }));
    reader.take(streamed);
    expect(reader.columns.isRead(89)).toBe(true);
    await reader.read(LENGTH, new AbortController().signal);
    expect(positionsAsked().filter((position) => position >= 89)).toEqual([99]);
  });
});

describe("reading one token's ranks", () => {
  const paris = idOf(" Paris");

  test("gives the server's rank and probability of every cell, what is on the screen first", async () => {
    serve();
    const reader = new RankReader(OF, new RequestLane(), new RankColumns(paris));
    reader.show({ start: 30, end: 40 });
    await reader.read(LENGTH, new AbortController().signal);
    expect(asked[0]?.[0]).toBe(30);
    expect(positionsAsked().toSorted((a, b) => a - b)).toEqual(tokens.map((token) => token.index));
    const [target] = madeUpLens(tokens, { targets: [paris] }).targets;
    for (const position of [0, 37, 99]) {
      for (const layer of [0, 7, 12]) {
        const place = reader.columns.place(position, layer);
        expect(place?.rank).toBe(target?.rank[layer]?.[position]);
        expect(place?.probability).toBeCloseTo(target?.probability[layer]?.[position] ?? -1, 6);
      }
    }
    expect(reader.columns.text).toBe(" Paris");
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
  });

  test("an answer without the token is a failure, not a rank", async () => {
    vi.stubGlobal("fetch", async (request: Request) => {
      const body = (await request.json()) as LensReadRequest;
      return Response.json(madeUpLens(tokens, { ...body, targets: [] }));
    });
    const reader = new RankReader(OF, new RequestLane(), new RankColumns(paris));
    await reader.read(LENGTH, new AbortController().signal);
    expect(reader.getProgress().error).toMatchObject({ code: "bad_answer" });
    expect(reader.columns.place(LENGTH - 1, 3)).toBeNull();
  });
});

describe("the order of requests", () => {
  test("background work waits while a click is answered", async () => {
    const lane = new RequestLane();
    const log: string[] = [];
    let answer: () => void = () => undefined;
    const click = lane.first(() => new Promise<void>((resolve) => (answer = resolve)));
    const background = lane.afterwards(() => Promise.resolve(log.push("background")));
    await Promise.resolve();
    log.push("click answered");
    answer();
    await Promise.all([click, background]);
    expect(log).toEqual(["click answered", "background"]);
  });

  test("a click does not wait for background work", async () => {
    const lane = new RequestLane();
    let isClickSent = false;
    const background = lane.afterwards(() => new Promise<void>(() => undefined));
    await lane.first(() => Promise.resolve((isClickSent = true)));
    expect(isClickSent).toBe(true);
    void background;
  });

  test("a failed request does not hold up the next", async () => {
    const lane = new RequestLane();
    await expect(lane.afterwards(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(lane.first(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(lane.afterwards(() => Promise.resolve("yes"))).resolves.toBe("yes");
  });
});

describe("after a turn that failed", () => {
  /** As the first turn wrote them, and as the next one did, from index 60 on. */
  const failed = tokens;
  const again = tokens.map((token) => (token.index < 60 ? token : { ...token, id: token.id + 1 }));

  test("what was read under its tokens is dropped and read again, what is shared stays", async () => {
    serve();
    const reader = new TimelineReader(OF, new RequestLane());
    const { signal } = new AbortController();
    reader.follow(failed);
    await reader.read(LENGTH, signal);
    reader.follow(again);
    // Index 59 tells how probable the first of them was.
    expect(reader.columns.readCount(LENGTH)).toBe(59);
    expect([reader.columns.isRead(58), reader.columns.isRead(59)]).toEqual([true, false]);
    asked = [];
    await reader.read(LENGTH, signal);
    expect(Math.min(...positionsAsked())).toBe(59);
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
  });

  test("the read-outs that came with its tokens give way to those of the next reply", () => {
    const reader = new TimelineReader(OF, new RequestLane());
    const readout = (id: number) => [
      { ...LENS[0], predictions: [{ token_id: id, text: "", probability: 1, rank: 1 }] },
    ];
    const withLens = (all: typeof tokens, id: number) =>
      all.map((token) => (token.index < 60 ? token : { ...token, lens: readout(id) as typeof LENS }));
    reader.follow(failed);
    reader.take(withLens(failed, 8888));
    reader.follow(again);
    expect(reader.columns.topId(70, 0)).toBe(-1);
    reader.take(withLens(again, 2222));
    expect(reader.columns.topId(70, 0)).toBe(2222);
  });

  test("an answer that was asked for under its tokens is not kept", async () => {
    const reader = new TimelineReader(OF, new RequestLane());
    const read: number[] = [];
    serve((nth) => {
      if (nth === 0) reader.follow(again);
      else read.push(reader.columns.readCount(LENGTH));
      return null;
    });
    reader.follow(failed);
    await reader.read(LENGTH, new AbortController().signal);
    expect(read[0]).toBe(0);
    expect(reader.columns.readCount(LENGTH)).toBe(LENGTH);
  });

  test("an answer of another model is an error, and nothing of it is kept", async () => {
    serve();
    const reader = new TimelineReader(
      { ...OF, model: { ...MADE_UP, revision: "before" } },
      new RequestLane(),
    );
    await reader.read(LENGTH, new AbortController().signal);
    expect(reader.getProgress().error?.code).toBe("model_mismatch");
    expect(reader.columns.readCount(LENGTH)).toBe(0);
  });
});
