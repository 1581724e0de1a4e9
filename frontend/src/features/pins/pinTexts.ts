/** Texts of pinned tokens of which a page knows the ids only, such as those that an address names. */
import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useChat } from "@/features/chat/chat";
import { useServer } from "@/features/server/server";
import { fetchToken } from "@/features/tokenSearch/requests";
import { identityOf, modelKey } from "@/model/identity";
import type { VocabularyToken } from "@/types/schemas";
import { type PinState, withTexts } from "./pins";

const found = (answers: readonly UseQueryResult<VocabularyToken>[]): VocabularyToken[] =>
  answers.flatMap(({ data }) => (data === undefined ? [] : [data]));

/** The pins with the texts that the server has told by now. */
export function useNamedPins(state: PinState): PinState {
  const isReadable = useChat(({ heldWith, opening }) => heldWith === null && opening === null);
  const { model } = useServer();
  // To another model than the running one the same ids are other tokens.
  const canTell = model !== null && isReadable;
  const unnamed = state.pins.flatMap((pin) => pin.tokens).filter(({ text }) => text === null);
  const told = useQueries({
    queries: unnamed.map(({ id }) => ({
      queryKey: ["token", model === null ? "" : modelKey(identityOf(model)), id],
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchToken(id, signal),
      enabled: canTell,
      staleTime: Infinity,
      retry: 1,
    })),
    combine: found,
  });
  return useMemo(
    () => withTexts(state, new Map(told.map(({ token_id, text }) => [token_id, text]))),
    [state, told],
  );
}
