/**
 * The chat stream: POST, then server-sent events. EventSource cannot POST, and libraries that wrap
 * it re-send the request when a tab wakes up, which would start a second generation.
 */
import { ownHeaders } from "@/base/client";
import { errorOfServer } from "@/base/errors";
import { eventData, parsedEvent } from "@/base/eventStream";
import { withLosslessPredictions } from "@/model/losslessTexts";
import type { components } from "@/types/api";

type Schemas = components["schemas"];
export type ChatRequest = Schemas["ChatRequest"];
export type StreamEvent =
  | Schemas["StartEvent"]
  | Schemas["QueuedEvent"]
  | Schemas["RemoteEvent"]
  | Schemas["TokenEvent"]
  | Schemas["LensEvent"]
  | Schemas["DoneEvent"]
  | Schemas["ErrorEvent"];

const EVENT_TYPES = ["start", "queued", "remote", "token", "lens", "done", "error"] as const;

/**
 * Yields the events of one reply, ending with `done`. Throws ApiError for a refused request, for an
 * `error` event and (code `stream_cut`) for a stream that ends without either; an abort by `signal`
 * is thrown as the AbortError that fetch throws.
 */
export async function* streamChat(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<Exclude<StreamEvent, Schemas["ErrorEvent"]>> {
  const post = () =>
    fetch("/api/chat", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "text/event-stream",
        ...ownHeaders(),
      },
      body: JSON.stringify({ ...request, stream: true }),
      signal,
    });
  for await (const data of eventData(post, signal)) {
    const event = withLosslessPredictions(parsedEvent<StreamEvent>(data, EVENT_TYPES));
    if (event.type === "error") throw errorOfServer(event.error);
    yield event;
    if (event.type === "done") return;
  }
}
