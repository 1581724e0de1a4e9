/** A chat stream as the server sends it, for tests without one. */
import type { StreamEvent } from "@/features/chat/stream";
import type { LayerReadout, ModelIdentity, Role, Token } from "@/model/timeline";

const toBase64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

export function token(index: number, text: string, role: Role, more: Partial<Token> = {}): Token {
  return {
    index,
    id: 100 + index,
    text,
    bytes: toBase64(text),
    role,
    special: false,
    logprob_nats: null,
    rank: null,
    entropy_nats: null,
    lens: null,
    ...more,
  };
}

export const IDENTITY: ModelIdentity = { name: "tiny", revision: "abc", source: "hub" };

export const PROMPT: readonly Token[] = [
  token(0, "User", "template"),
  token(1, ":", "template"),
  token(2, " Hello", "user"),
  token(3, "\n", "template"),
  token(4, "Assistant", "template"),
  token(5, ":", "template"),
];

export const LENS: LayerReadout[] = [
  {
    layer: 0,
    label: "embed",
    predictions: [{ token_id: 1, text: " a", probability: 0.5, rank: 1 }],
    entropy_nats: 1,
    kl_to_final_nats: 0.5,
    actual: { probability: 0.25, rank: 2 },
  },
];

export const EVENTS: readonly Exclude<StreamEvent, { type: "error" }>[] = [
  {
    type: "start",
    id: "reply-1",
    conversation_id: "conversation-1",
    model: "tiny",
    model_identity: IDENTITY,
    seed: 41,
    turn_start: 0,
    steering: null,
    prompt_tokens: [...PROMPT],
  },
  {
    type: "token",
    token: token(6, " Grüß", "assistant", { logprob_nats: -0.5, rank: 1, entropy_nats: 1.2 }),
  },
  { type: "lens", index: 6, lens: LENS },
  {
    type: "token",
    token: token(7, " dich", "assistant", { logprob_nats: -1.5, rank: 3, entropy_nats: 2.1 }),
  },
  {
    type: "done",
    text: " Grüß dich",
    finish_reason: "stop",
    stop: null,
    usage: { prompt_tokens: 6, reply_tokens: 2, context_length: 64, computed_tokens: 8 },
    timings: { queued_ms: 0, first_token_ms: 1, total_ms: 2 },
    fired: [],
  },
];

export const frame = (event: StreamEvent): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** An answer with the text as server-sent events, in pieces of `size` bytes: cut inside characters and events. */
export function streamAnswer(text: string, size = 7): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** An answer that is sent event by event, and breaks off as a connection does when the reader hangs up. */
export function openAnswer(signal: AbortSignal) {
  const encoder = new TextEncoder();
  let sender: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      sender = controller;
      signal.addEventListener("abort", () => controller.error(new DOMException("aborted", "AbortError")));
    },
  });
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream" } }),
    send: (event: StreamEvent | Readonly<Record<string, unknown>>) =>
      sender?.enqueue(encoder.encode(`event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`)),
    end: () => sender?.close(),
  };
}
