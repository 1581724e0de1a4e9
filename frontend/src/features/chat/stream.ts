/**
 * The chat stream: POST, then server-sent events. EventSource cannot POST, and libraries that wrap
 * it re-send the request when a tab wakes up, which would start a second generation.
 */
import { CLIENT_ID } from "@/base/client";
import { ApiError, errorFromBody, errorOfServer, isAbort, networkFailure, streamCut } from "@/base/errors";
import { withLosslessPredictions } from "@/model/losslessTexts";
import type { components } from "@/types/api";

type Schemas = components["schemas"];
export type ChatRequest = Schemas["ChatRequest"];
export type StreamEvent =
  | Schemas["StartEvent"]
  | Schemas["TokenEvent"]
  | Schemas["LensEvent"]
  | Schemas["DoneEvent"]
  | Schemas["ErrorEvent"];

const EVENT_TYPES: ReadonlySet<string> = new Set<StreamEvent["type"]>([
  "start",
  "token",
  "lens",
  "done",
  "error",
]);

/**
 * Yields the events of one reply, ending with `done`. Throws ApiError for a refused request, for an
 * `error` event and (code `stream_cut`) for a stream that ends without either; an abort by `signal`
 * is thrown as the AbortError that fetch throws.
 */
export async function* streamChat(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<Exclude<StreamEvent, Schemas["ErrorEvent"]>> {
  // Fetched while the server reads the prompt.
  const parser = import("eventsource-parser/stream").catch(networkFailure);
  const body = await open(request, signal);
  const loaded = await parser;
  if (loaded instanceof ApiError) {
    await body.cancel();
    throw loaded;
  }
  const { EventSourceParserStream } = loaded;
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  try {
    for (;;) {
      const { done, value } = await readNext(reader, signal);
      if (done) throw streamCut();
      const event = withLosslessPredictions(parseEvent(value.data));
      if (event.type === "error") throw errorOfServer(event.error);
      yield event;
      if (event.type === "done") return;
    }
  } finally {
    // Closing early must reach the server, which stops the model when the connection goes.
    await reader.cancel().catch(() => undefined);
  }
}

async function open(request: ChatRequest, signal: AbortSignal): Promise<ReadableStream<BufferSource>> {
  let response: Response;
  try {
    response = await fetch("/api/chat", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "text/event-stream",
        "X-Client-Id": CLIENT_ID,
      },
      body: JSON.stringify({ ...request, stream: true }),
      signal,
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw networkFailure(error);
  }
  if (!response.ok) {
    const answer: unknown = await response.json().catch(() => null);
    throw errorFromBody(answer, response.status);
  }
  if (response.body === null) throw streamCut();
  return response.body;
}

async function readNext<T>(
  reader: ReadableStreamDefaultReader<T>,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<T>> {
  try {
    return await reader.read();
  } catch (error) {
    signal.throwIfAborted();
    // A connection that breaks in mid-stream arrives as a TypeError, not as an end.
    if (error instanceof TypeError) throw streamCut();
    throw error;
  }
}

export function parseEvent(data: string): StreamEvent {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    value = null;
  }
  if (isStreamEvent(value)) return value;
  throw new ApiError({
    code: "bad_answer",
    message: "The server sent an event that this page does not know.",
    hint: "Page and server may be of different versions: reload the page.",
  });
}

function isStreamEvent(value: unknown): value is StreamEvent {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    typeof value.type === "string" &&
    EVENT_TYPES.has(value.type)
  );
}
