import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "@/base/errors";
import { EVENTS, frame, streamAnswer } from "@/test/recordedStream";
import { type StreamEvent, streamChat } from "./stream";

const REQUEST = { messages: [{ role: "user" as const, content: "Hello" }] };
const RECORDED = EVENTS.map(frame).join("");

afterEach(() => vi.unstubAllGlobals());

async function collect(
  answer: Response | Error,
  signal = new AbortController().signal,
): Promise<StreamEvent[]> {
  vi.stubGlobal("fetch", () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)));
  const events: StreamEvent[] = [];
  for await (const event of streamChat(REQUEST, signal)) events.push(event);
  return events;
}

async function failure(answer: Response | Error): Promise<ApiError> {
  const error: unknown = await collect(answer).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`no ApiError but ${String(error)}`);
}

test.each([1, 2, 7, 64, 100_000])("gives every event when the bytes come %i at a time", async (size) => {
  expect(await collect(streamAnswer(RECORDED, size))).toEqual(EVENTS);
});

test("passes over the comments that keep a connection alive", async () => {
  expect(await collect(streamAnswer(`: keep-alive\n\n${RECORDED}`))).toEqual(EVENTS);
});

test("a stream that ends without done or error is cut", async () => {
  const withoutEnd = EVENTS.slice(0, -1).map(frame).join("");
  expect((await failure(streamAnswer(withoutEnd))).code).toBe("stream_cut");
});

test("an error event becomes the typed error, with its hint", async () => {
  const error = {
    code: "deadline_exceeded",
    message: "Too slow.",
    hint: "Ask for less.",
    param: null,
    request_id: "r1",
  };
  const given = await failure(streamAnswer(frame({ type: "error", error })));
  expect([given.code, given.message, given.hint, given.requestId]).toEqual([
    "deadline_exceeded",
    "Too slow.",
    "Ask for less.",
    "r1",
  ]);
});

test("a refusal before the stream becomes the typed error", async () => {
  const error = {
    code: "queue_full",
    message: "8 requests wait.",
    hint: null,
    param: null,
    request_id: "r2",
  };
  expect((await failure(Response.json({ error }, { status: 429 }))).code).toBe("queue_full");
});

test("a proxy's own answer for a server that is gone says that it does not answer", async () => {
  expect((await failure(new Response("Bad gateway", { status: 502 }))).code).toBe("server_unreachable");
});

test("a network failure says that the server does not answer", async () => {
  expect((await failure(new TypeError("fetch failed"))).code).toBe("server_unreachable");
});

test("an event of an unknown kind is no silence but an error", async () => {
  expect((await failure(streamAnswer('data: {"type":"later"}\n\n'))).code).toBe("bad_answer");
});
