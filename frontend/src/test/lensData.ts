/**
 * Made-up read-outs for tests: regular, seeded, and shaped like a small GPT-2's (early layers are
 * unsure, late ones agree). Never part of the page.
 */
import { everyLayer } from "@/model/layers";
import type { ModelIdentity, Timeline, Token } from "@/model/timeline";
import type { components } from "@/types/api";

type Schemas = components["schemas"];
type LensReadRequest = Schemas["LensReadRequest"];
type LensReadResponse = Schemas["LensReadResponse"];

export const MADE_UP: ModelIdentity = { name: "made-up", revision: "abc", source: "hub" };
export const N_LAYERS = 12;
export const VOCABULARY_SIZE = 50_257;

const WORDS = (
  "User:| The| capital| of| France| is|\nAssistant|:| Paris|,| which| lies| on| the| river| Seine|.| It| has|" +
  " been| a| centre| of| art| and| science| since| the| Middle| Ages|\n\n| 2,140,526| people| live| there| (|2019|)|" +
  " 你|好| café|\t|…| naïve| مرحبا| extraordinarily| and|ly|ness"
).split("|");

const N_WORDS = new Set(WORDS).size;

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** Numbers in [0, 1) that depend only on their arguments. */
function noise(...keys: readonly number[]): number {
  let hash = 2166136261;
  for (const key of keys) hash = Math.imul(hash ^ (key + 0x9e3779b9), 16777619) ^ (hash >>> 13);
  return ((hash >>> 0) % 1_000_003) / 1_000_003;
}

export const idOf = (text: string): number => 1000 + WORDS.indexOf(text);
const wordAt = (n: number): string => WORDS[n % WORDS.length] ?? "";

export function madeUpTokens(length: number): Token[] {
  return Array.from({ length }, (_, index) => {
    const text = wordAt(index);
    return {
      index,
      id: idOf(text),
      text,
      bytes: base64(new TextEncoder().encode(text)),
      role: index < 6 ? "user" : index < 9 ? "template" : "assistant",
      special: false,
      logprob_nats: index === 0 ? null : -2 * noise(index),
      rank: index === 0 ? null : 1 + Math.floor(3 * noise(index, 1)),
      entropy_nats: index === 0 ? null : 4 * noise(index, 2),
      lens: null,
    };
  });
}

export const madeUpTimeline = (tokens: readonly Token[], conversationId: string): Timeline => ({
  conversationId,
  model: MADE_UP,
  tokens,
  turns: [{ promptStart: 0, replyStart: 9, userText: "The capital of France is", seed: 1, finish: "stop" }],
  status: "settled",
});

/** What the server would answer to `request` on a timeline of these tokens. */
export function madeUpLens(tokens: readonly Token[], request: LensReadRequest): LensReadResponse {
  const [start, end] = request.positions ?? [0, tokens.length];
  const k = request.top_k ?? 5;
  const layers = everyLayer(N_LAYERS, request.half_layers === true);
  const positions = Array.from({ length: end - start }, (_, i) => start + i);
  const grid = <T>(value: (layer: number, position: number) => T): T[][] =>
    layers.map((layer) => positions.map((position) => value(layer, position)));
  const certainty = (layer: number, position: number): number =>
    Math.min(1, Math.max(0, (layer / N_LAYERS) * 1.2 - 0.5 * noise(position))) ** 2;
  const top = (layer: number, position: number): number =>
    0.02 + 0.95 * certainty(layer, position) * (0.4 + 0.6 * noise(position, 7));
  const isDecided = (layer: number, position: number): boolean =>
    certainty(layer, position) > 0.25 && noise(position, 9) > 0.2;
  const next = (position: number): string | undefined => tokens[position + 1]?.text;
  const topTexts = (layer: number, position: number, count = k): string[] => {
    const following = next(position);
    const texts = isDecided(layer, position) && following !== undefined ? [following] : [];
    // Some words stand in the list twice, and the one that follows may be left out.
    for (let i = 0; texts.length < Math.min(count, N_WORDS - 1); i += 1) {
      const text =
        layer === 0 && i === 0
          ? (tokens[position]?.text ?? "")
          : wordAt(Math.floor(97 * noise(position, Math.ceil(layer) >> 2)) + i);
      if (!texts.includes(text) && (text !== following || texts.length > 0)) texts.push(text);
    }
    return texts;
  };
  return {
    model: "made-up",
    model_identity: MADE_UP,
    kind: "logit",
    layers,
    labels: layers.map((layer) => (layer === 0 ? "embed" : String(layer))),
    tokens: tokens.map((token) => ({ ...token, lens: null })),
    positions,
    fired: [],
    top_ids: grid((layer, position) => topTexts(layer, position).map(idOf)),
    top_probabilities: grid((layer, position) =>
      topTexts(layer, position).map((_, i) => top(layer, position) * (1 - top(layer, position)) ** i),
    ),
    vocabulary: Object.fromEntries(WORDS.map((text) => [String(idOf(text)), text])),
    vocabulary_bytes: {},
    entropy_nats: grid(
      (layer, position) => 10.8 * (1 - certainty(layer, position)) * (0.6 + 0.4 * noise(position, 3)),
    ),
    kl_to_final_nats: grid((layer, position) =>
      layer === N_LAYERS
        ? 0
        : (position === 0 ? 60 : 12) * (1 - layer / N_LAYERS) * (0.3 + 0.7 * noise(position, layer)),
    ),
    next_probability: grid((layer, position) =>
      next(position) === undefined
        ? null
        : isDecided(layer, position)
          ? top(layer, position)
          : 1e-7 + 0.01 * certainty(layer, position),
    ),
    next_rank: grid((layer, position) =>
      next(position) === undefined
        ? null
        : isDecided(layer, position)
          ? 1
          : 6 +
            Math.floor(
              (VOCABULARY_SIZE - 6) * (1 - certainty(layer, position)) ** 6 * noise(position, layer),
            ),
    ),
    targets: (request.targets ?? []).map((id) => {
      const text = WORDS[id - 1000] ?? "";
      const place = (layer: number, position: number): number => {
        const rank = topTexts(layer, position, 50).indexOf(text) + 1;
        return rank === 0 ? 100 + Math.floor(40_000 * noise(id, layer, position)) : rank;
      };
      return {
        token_id: id,
        text,
        bytes: null,
        probability: grid((layer, position) => {
          const rank = place(layer, position);
          return rank <= 50
            ? top(layer, position) * (1 - top(layer, position)) ** (rank - 1)
            : 1e-7 * noise(id, position, layer);
        }),
        rank: grid(place),
      };
    }),
  };
}

/** Whether both sides have the same first choice at a pair; the later rows differ where `b` is a multiple of 3. */
export const agreesAt = (b: number, row: number): boolean => b % 3 !== 0 || row < 6;

/** What the server would answer about pairs of two timelines. */
export function madeUpComparison(request: Schemas["CompareRequest"]): Schemas["CompareResponse"] {
  const layers = request.layers ?? Array.from({ length: N_LAYERS + 1 }, (_, i): [number, number] => [i, i]);
  const positions = request.positions ?? [];
  const grid = <T>(value: (a: number, b: number, row: number) => T): T[][] =>
    layers.map((_, row) => positions.map(([a, b]) => value(a, b, row)));
  const kind = request.b.kind === "tuned" ? 1 : 0;
  return {
    model: "made-up",
    model_identity: MADE_UP,
    layers,
    labels: layers.map(([a, b]) => [String(a), String(b)]),
    a_tokens: [],
    b_tokens: [],
    a_fired: [],
    b_fired: [],
    positions,
    kl_a_to_b_nats: grid((a, b, row) => 5 * noise(a, b, row, kind)),
    kl_b_to_a_nats: grid((a, b, row) => 7 * noise(a, b, row, kind, 1)),
    js_nats: grid((a, b, row) => Math.LN2 * noise(a, b, row, kind, 2)),
    a_top_id: grid((a) => idOf(wordAt(a + 1))),
    a_top_probability: grid((a, _, row) => noise(a, row, 3)),
    b_top_id: grid((a, b, row) => idOf(agreesAt(b, row) ? wordAt(a + 1) : " Paris")),
    b_top_probability: grid((_, b, row) => noise(b, row, 4)),
    vocabulary: Object.fromEntries(WORDS.map((text) => [String(idOf(text)), text])),
    vocabulary_bytes: {},
    targets: (request.targets ?? []).map((id) => ({
      token_id: id,
      text: WORDS[id - 1000] ?? "",
      bytes: null,
      a_probability: grid((a, _, row) => noise(id, a, row)),
      a_rank: grid((a) => 1 + a),
      b_probability: grid((_, b, row) => noise(id, b, row, 5)),
      b_rank: grid((_, b) => 2 + b),
    })),
  };
}

/** What the server would say that an id stands for. */
export function madeUpToken(tokenId: number): Schemas["VocabularyToken"] {
  const text = WORDS[tokenId - 1000] ?? "";
  return { token_id: tokenId, text, bytes: base64(new TextEncoder().encode(text)) };
}

/** What the server would find: words that begin with the query, with or without a leading space. */
export function madeUpMatches(query: string): Schemas["TokenSearchResponse"] {
  const words = WORDS.filter((word) => word.trimStart().startsWith(query.trimStart()));
  const encode = (text: string): string => base64(new TextEncoder().encode(text));
  const encoded = words.length === 1 ? words : [query.slice(0, 1), query.slice(1)];
  return {
    query,
    matches: words.map((text) => ({
      token_id: idOf(text),
      text,
      bytes: encode(text),
      exact: text.trimStart() === query.trimStart(),
      is_byte_token: false,
    })),
    encoded_ids: words.length === 1 ? words.map(idOf) : [1, 2],
    encoded_texts: encoded,
    encoded_bytes: encoded.map(encode),
  };
}
