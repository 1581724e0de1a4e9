/** Server-sent events of one answer, whichever method was asked with: EventSource can only GET. */
import { ApiError, errorFromBody, isAbort, networkFailure, streamCut } from "./errors";

/**
 * Yields the data of each event; a caller that has seen the last one stops. Throws ApiError for a
 * refused request, and code `stream_cut` when the connection ends; an abort by `signal` is thrown as
 * the AbortError that fetch throws.
 */
export async function* eventData(
  request: () => Promise<Response>,
  signal: AbortSignal,
): AsyncGenerator<string, never> {
  // Fetched while the server prepares its answer.
  const parser = import("eventsource-parser/stream").catch(networkFailure);
  const body = await open(request);
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
      yield value.data;
    }
  } finally {
    // Closing early must reach the server, which ends what it does for a connection that goes.
    await reader.cancel().catch(() => undefined);
  }
}

async function open(request: () => Promise<Response>): Promise<ReadableStream<BufferSource>> {
  let response: Response;
  try {
    response = await request();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw networkFailure(error);
  }
  if (!response.ok) {
    const answer: unknown = await response.json().catch(() => null);
    throw errorFromBody(answer, response);
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

/** An event of one of these types; anything else is the answer of another version of the server. */
export function parsedEvent<Event extends { readonly type: string }>(
  data: string,
  types: readonly Event["type"][],
): Event {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    value = null;
  }
  if (isEvent(value, types)) return value;
  throw new ApiError({
    code: "bad_answer",
    message: "The server sent an event that this page does not know.",
    hint: "Page and server may be of different versions: reload the page.",
  });
}

function isEvent<Event extends { readonly type: string }>(
  value: unknown,
  types: readonly Event["type"][],
): value is Event {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    types.some((type) => type === value.type)
  );
}
