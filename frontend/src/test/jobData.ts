/** A causal map of two made-up texts, as the server sends it. */
import { MADE_UP, N_LAYERS, idOf } from "@/test/lensData";
import type { Token } from "@/model/timeline";

const named = (text: string) => ({ token_id: idOf(text), text, bytes: null });

interface MadeUpMap {
  readonly state: string;
  readonly nDone: number;
  readonly clean: readonly Token[];
  readonly corrupt: readonly Token[];
  readonly conversationId: string | null;
}

/** `nDone` cells, row by row, have the score 0.25. */
export function madeUpMap({ state, nDone, clean, corrupt, conversationId }: MadeUpMap) {
  const n = Math.min(clean.length, corrupt.length) - 2;
  const scores = Array.from({ length: N_LAYERS + 1 }, (_, row) =>
    Array.from({ length: n }, (_, pair) => (row * n + pair < nDone ? 0.25 : null)),
  );
  return {
    id: "job-1",
    kind: "patch_map",
    state,
    progress: 0.5,
    seconds_left: state === "running" ? 12 : null,
    created_at_ms: 1,
    updated_at_ms: 1,
    model: MADE_UP.name,
    model_identity: MADE_UP,
    conversation_id: conversationId,
    title: "the sea → the river",
    error: null,
    assumed: {
      clean: { conversation_id: conversationId, tokens: clean.slice(0, n) },
      corrupt: { conversation_id: null, tokens: corrupt.slice(0, n) },
      site: "resid",
      direction: "denoise",
      metric: "logit_difference",
    },
    result: {
      layers: Array.from({ length: N_LAYERS + 1 }, (_, layer) => layer),
      heads: Array.from({ length: N_LAYERS + 1 }, () => null),
      positions: Array.from({ length: n }, (_, pair) => [pair, pair]),
      answer: { ...named(clean[n]?.text ?? ""), token_id: clean[n]?.id },
      foil: { ...named(corrupt[n]?.text ?? ""), token_id: corrupt[n]?.id },
      clean: 4,
      corrupt: -2,
      cells: scores,
      scores,
      estimate: null,
      no_estimate: null,
      rank_correlation: 0.9,
      n_cells: (N_LAYERS + 1) * n,
      n_done: nDone,
      computed_tokens: 7,
    },
  };
}

/** What a patch gives, half-way between its two ends. */
export function madeUpPatch() {
  const top = [{ ...named(" river"), probability: 0.5 }];
  return {
    model: MADE_UP.name,
    model_identity: MADE_UP,
    site: "resid",
    layer: 3,
    heads: null,
    positions: [[4, 4]],
    direction: "denoise",
    answer: named(" which"),
    foil: named(" river"),
    clean: 4,
    corrupt: -2,
    patched: 1,
    score: 0.5,
    kl_to_clean_nats: 0.1,
    predictions: { clean: top, corrupt: top, patched: top },
    computed_tokens: 3,
  };
}

/** The events of a job so far; a stream that ends with them is cut unless the last one says that it is over. */
export const jobEvents = (...events: readonly Readonly<Record<string, unknown>>[]): Response =>
  new Response(
    events.map((each) => `event: ${String(each["type"])}\ndata: ${JSON.stringify(each)}\n\n`).join(""),
    {
      headers: { "content-type": "text/event-stream" },
    },
  );
