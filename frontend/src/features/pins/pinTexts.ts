/** Texts of pinned tokens of which a page knows the ids only, such as those that an address names. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useChat } from "@/features/chat/chat";
import { useServer } from "@/features/server/server";
import { fetchToken } from "@/features/tokenSearch/requests";
import { identityOf, modelKey } from "@/model/identity";
import type { VocabularyToken } from "@/types/schemas";
import { type PinState, withTexts } from "./pins";

const NONE: readonly VocabularyToken[] = [];

/** The pins with the texts that the server has told by now. */
export function useNamedPins(state: PinState): PinState {
  const isReadable = useChat(({ heldWith, opening }) => heldWith === null && opening === null);
  const { model } = useServer();
  const queries = useQueryClient();
  // To another model than the running one the same ids are other tokens.
  const canTell = model !== null && isReadable;
  const unnamed = state.pins.flatMap((pin) =>
    pin.tokens.flatMap(({ id, text }) => (text === null ? [id] : [])),
  );
  const key = model === null ? "" : modelKey(identityOf(model));
  // One query over those of each token: `useQueries` would be in the first load for this alone.
  const { data: named = NONE } = useQuery({
    queryKey: ["tokens", key, unnamed],
    queryFn: async ({ signal }) => {
      const answers = await Promise.allSettled(
        unnamed.map((id) =>
          queries.query({
            queryKey: ["token", key, id],
            queryFn: () => fetchToken(id, signal),
            staleTime: Infinity,
            retry: 1,
          }),
        ),
      );
      signal.throwIfAborted();
      return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    },
    enabled: canTell && unnamed.length > 0,
    staleTime: Infinity,
    placeholderData: (before, last) => (last?.queryKey[1] === key ? before : undefined),
    retry: false,
  });
  return useMemo(
    () => withTexts(state, new Map(named.map(({ token_id, text }) => [token_id, text]))),
    [state, named],
  );
}
