/** Saved conversations as the server tells them. */
import type { Branch, ConversationSummary, SavedConversation } from "@/features/library/conversations";
import { EVENTS, IDENTITY, PROMPT } from "./recordedStream";

export const SAMPLING = { max_new_tokens: 16, temperature: 0, top_k: 0, top_p: 1, seed: 41, stop: [] };

export const summary = (id: string, more: Partial<ConversationSummary> = {}): ConversationSummary => ({
  id,
  conversation_id: id,
  title: `Title of ${id}`,
  model: IDENTITY,
  created_at_ms: 0,
  updated_at_ms: Date.now(),
  n_tokens: 8,
  n_branches: 1,
  is_running: false,
  ...more,
});

export const branch = (id: string, more: Partial<Branch> = {}): Branch => ({
  id,
  name: null,
  parent_id: null,
  from_index: null,
  n_tokens: 8,
  preview: `preview of ${id}`,
  is_steered: false,
  created_at_ms: 0,
  updated_at_ms: 0,
  ...more,
});

export const savedConversation = (more: Partial<SavedConversation> = {}): SavedConversation => ({
  id: "conversation-1",
  conversation_id: "conversation-1",
  title: "Hello",
  model: IDENTITY,
  is_readable: true,
  is_running: false,
  mode: "chat",
  created_at_ms: 0,
  updated_at_ms: 0,
  branches: [branch("conversation-1")],
  tokens: [...PROMPT, ...EVENTS.flatMap((event) => (event.type === "token" ? [event.token] : []))],
  text: " Hello\n Grüß dich",
  turns: [{ start: 0, reply_start: 6, end: 8, finish_reason: "stop", sampling: SAMPLING }],
  steering: null,
  pins: { token_ids: [], positions: [] },
  notes: [],
  annotations_revision: 0,
  ...more,
});
