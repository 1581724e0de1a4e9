/** A stand-in for the server: its answers are the recorded ones unless a test says otherwise. */
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { Health, ModelInfo } from "@/types/schemas";
import { EVENTS, frame, streamAnswer } from "./recordedStream";
import { savedConversation } from "./saved";

export const HEALTH: Health = {
  status: "ready",
  model: "tiny",
  revision: "abc",
  instance: "first",
  version: "0",
  queue: { running: 0, waiting: 0, capacity: 8 },
  jobs: 0,
  detail: null,
  download: null,
  loading: null,
  switch: null,
};

export const SITE_MODULES: ModelInfo["site_modules"] = {
  attn: Array.from({ length: 12 }, () => "attn"),
  mlp: Array.from({ length: 12 }, () => "mlp"),
  head: Array.from({ length: 12 }, () => "attn.c_proj"),
};

export const MODEL: ModelInfo = {
  model_name: "tiny",
  source: "hub",
  revision: "abc",
  note: "Taken from the local cache.",
  architecture: "GPT2LMHeadModel",
  num_layers: 2,
  num_heads: 2,
  hidden_size: 8,
  vocab_size: 300,
  context_length: 64,
  num_parameters: 7_115_008,
  dtype: "float32",
  device: "cpu",
  tied_embeddings: true,
  packing: "all",
  chat_template: { source: "built-in", text: "User: {}", stop: ["\nUser:"], starts_with_bos: false },
  adds_bos: false,
  bos_token_id: 0,
  bos_check: null,
  byte_exact: true,
  text_losses: [],
  lenses: [
    { kind: "logit", fitted_tokens: null, origin: "shipped", beats_controls: null, unfitted_layers: [] },
  ],
  examples: [{ title: "A capital", mode: "chat", text: "The capital of France is", note: "Follow Paris." }],
  self_check: {
    passed: true,
    max_abs_diff: 1.5e-5,
    cache_max_abs_diff: 2e-5,
    edit_max_abs_change: 3.1,
    precision: null,
  },
  half_layer_modules: Array.from({ length: 12 }, () => "ln_2"),
  site_modules: SITE_MODULES,
  capabilities: {
    sublayers: { available: true, reason: null, max_abs_diff: 1e-6 },
    heads: { available: true, reason: null, max_abs_diff: 1e-6 },
    neurons: { available: true, reason: null, max_abs_diff: 1e-6 },
    attention: { available: true, reason: null, max_abs_diff: 1e-6 },
    half_layers: { available: true, reason: null, max_abs_diff: 0 },
    gradients: { available: true, reason: null, max_abs_diff: 0 },
    interventions: { available: true, reason: null, max_abs_diff: 0 },
  },
  intervention_sites: {
    resid: { available: true, reason: null, max_abs_diff: 0 },
    attn: { available: true, reason: null, max_abs_diff: 0 },
    mlp: { available: true, reason: null, max_abs_diff: 0 },
    head: { available: true, reason: null, max_abs_diff: 0 },
    knock_out: { available: true, reason: null, max_abs_diff: 1e-7 },
  },
};

/** The server's refusal of a request. */
export const refused = (code: string, status: number) =>
  HttpResponse.json(
    { error: { code, message: "It did not work.", hint: null, param: null, request_id: "r" } },
    { status },
  );

export const server = setupServer(
  http.get("*/api/health", () => HttpResponse.json(HEALTH)),
  http.get("*/api/model_info", () => HttpResponse.json(MODEL)),
  http.get("*/api/examples/opening", () => HttpResponse.json({ opening: null })),
  http.get("*/api/conversations", () => HttpResponse.json({ conversations: [], total: 0 })),
  http.get("*/api/conversations/:id", ({ params }) =>
    HttpResponse.json(savedConversation({ id: String(params["id"]) })),
  ),
  http.get("*/api/tokens/:id", ({ params }) => {
    const token_id = Number(params["id"]);
    return HttpResponse.json({ token_id, text: ` t${token_id}`, bytes: btoa(` t${token_id}`) });
  }),
  http.post("*/api/chat", () => streamAnswer(EVENTS.map(frame).join(""))),
);
