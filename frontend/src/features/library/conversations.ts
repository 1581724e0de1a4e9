/** Saved conversations and their branches. */
import { call, client, unwrap } from "@/base/client";
import { ApiError, isAway } from "@/base/errors";
import { pause } from "@/base/pause";
import type { components } from "@/types/api";

type Schemas = components["schemas"];

export type SavedConversation = Schemas["SavedConversation"];
export type ConversationSummary = Schemas["ConversationSummary"];
export type ConversationList = Schemas["ConversationList"];
export type ConversationChanges = Schemas["ConversationChanges"];
export type ConversationFile = Schemas["ConversationFile"];
export type Branch = Schemas["Branch"];

/** Conversations that the list gets at a time. */
export const PAGE_SIZE = 50;
/** The server's bound of one request's body. */
const MAX_FILE_BYTES = 4 * 2 ** 20;
const LOADING_PAUSE_MS = 700;

export async function fetchConversations(
  query: string,
  offset: number,
  signal: AbortSignal,
): Promise<ConversationList> {
  const params = { query: { query, offset, limit: PAGE_SIZE } };
  return unwrap(await call(() => client.GET("/api/conversations", { params, signal })));
}

export async function fetchConversation(
  conversationId: string,
  includeTokens: boolean,
  signal: AbortSignal,
): Promise<SavedConversation> {
  const params = { path: { conversation_id: conversationId }, query: { include_tokens: includeTokens } };
  return unwrap(await call(() => client.GET("/api/conversations/{conversation_id}", { params, signal })));
}

/** Opens a conversation; a server that is away, or loads its model, is waited for. */
export async function openWhenReady(conversationId: string, signal: AbortSignal): Promise<SavedConversation> {
  for (;;) {
    try {
      return await fetchConversation(conversationId, true, signal);
    } catch (error) {
      if (!(error instanceof ApiError && isAway(error))) throw error;
    }
    await pause(LOADING_PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}

/** The server stores what was sent when it notices that the connection is closed: a moment later. */
const STORING_MS = 400;
const STORING_ATTEMPTS = 5;

/** What the server holds of a reply of which `nShown` tokens, with those before it, are known here; null for nothing. */
export async function readWhenStored(
  id: string,
  nShown: number,
  signal: AbortSignal,
): Promise<SavedConversation | null> {
  for (let attempt = 1; ; attempt += 1) {
    await pause(STORING_MS, signal);
    signal.throwIfAborted();
    const saved = await openWhenReady(id, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === "conversation_not_found") return null;
      throw error;
    });
    const isWhole = saved !== null && (!saved.is_readable || saved.tokens.length >= nShown);
    if (isWhole || attempt === STORING_ATTEMPTS) return saved;
  }
}

const pathOf = (id: string) => ({ params: { path: { conversation_id: id } } });

export async function changeConversation(
  id: string,
  body: ConversationChanges,
  { keepalive = false } = {},
): Promise<ConversationSummary> {
  return unwrap(
    await call(() =>
      client.PATCH("/api/conversations/{conversation_id}", { ...pathOf(id), body, keepalive }),
    ),
  );
}

export async function deleteConversation(id: string): Promise<void> {
  unwrap(await call(() => client.DELETE("/api/conversations/{conversation_id}", pathOf(id))));
}

export async function restoreConversation(id: string): Promise<ConversationSummary> {
  return unwrap(await call(() => client.POST("/api/conversations/{conversation_id}/restore", pathOf(id))));
}

export async function duplicateConversation(id: string): Promise<ConversationSummary> {
  return unwrap(await call(() => client.POST("/api/conversations/{conversation_id}/duplicate", pathOf(id))));
}

/** A whole conversation as the server writes it into a file. */
export async function exportConversation(id: string): Promise<unknown> {
  return unwrap(await call(() => client.GET("/api/conversations/{conversation_id}/export", pathOf(id))));
}

/** Hands a file to the server, which checks every field of it. */
export async function importConversation(file: File): Promise<ConversationSummary> {
  if (file.size > MAX_FILE_BYTES) {
    throw new ApiError({
      code: "payload_too_large",
      message: `“${file.name}” has ${(file.size / 2 ** 20).toFixed(1)} MiB; a conversation may have 4.`,
      hint: "Delete some branches before you export it.",
    });
  }
  const body = asFile(await file.text(), file.name);
  return unwrap(await call(() => client.POST("/api/conversations/import", { body })));
}

/** The text as a request body. Only that it is a JSON object is seen here; the rest is the server's to check. */
function asFile(text: string, name: string): ConversationFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = null;
  }
  if (!isObject(parsed)) {
    throw new ApiError({
      code: "invalid_request",
      message: `“${name}” is no conversation: it does not hold a JSON object.`,
      hint: "Choose a file that Export has written.",
    });
  }
  return parsed;
}

const isObject = (value: unknown): value is ConversationFile =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export async function deleteBranch(id: string): Promise<void> {
  unwrap(
    await call(() => client.DELETE("/api/branches/{branch_id}", { params: { path: { branch_id: id } } })),
  );
}

export async function restoreBranch(id: string): Promise<ConversationSummary> {
  return unwrap(
    await call(() =>
      client.POST("/api/branches/{branch_id}/restore", { params: { path: { branch_id: id } } }),
    ),
  );
}
