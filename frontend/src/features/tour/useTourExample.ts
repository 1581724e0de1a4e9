import { useEffect, useRef } from "react";
import type { ApiError } from "@/base/errors";
import { useChat } from "@/features/chat/chat";
import { useRunExample, workedExample } from "@/features/examples/examples";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import type { Timeline } from "@/model/timeline";
import { useIsNarrow } from "@/ui/media";

export interface TourExample {
  /** There is a token with its evidence to point at. */
  readonly isReady: boolean;
  /** Why there will be none; null while there may be. */
  readonly error: ApiError | null;
}

/** Runs the first worked example where no conversation is shown, and sees to it that a token is selected. */
export function useTourExample(): TourExample {
  const { model } = useServer();
  const timeline = useChat((chat) => chat.timeline);
  const mode = useChat((chat) => chat.mode);
  const failure = useChat((chat) => chat.failure);
  const { index, select } = useSelection();
  const isNarrow = useIsNarrow();
  const run = useRunExample();
  const hasRun = useRef(false);
  const examples = model?.examples ?? [];
  const [first] = examples;
  const isEmpty = timeline.status === "empty";
  useEffect(() => {
    if (hasRun.current || !isEmpty || first === undefined) return;
    hasRun.current = true;
    run(first);
  }, [isEmpty, first, run]);

  const worked = workedExample(timeline, mode, examples);
  // Beside the conversation the example selects its own token, and the layer that decides, when they are read.
  const selectsItself = worked !== null && !isNarrow;
  const wanted = timeline.status === "settled" ? (worked?.token.index ?? lastWord(timeline)) : null;
  useEffect(() => {
    if (wanted !== null && index === null && !selectsItself) select(wanted);
  }, [wanted, index, selectsItself, select]);
  return {
    isReady: index !== null && timeline.status === "settled",
    error: failure?.error ?? null,
  };
}

/** The last token of the reply that is more than a mark, else the last one. */
function lastWord({ tokens }: Timeline): number | null {
  const word = tokens.findLast(({ role, text }) => role === "assistant" && /\p{L}/u.test(text));
  return word?.index ?? (tokens.length > 0 ? tokens.length - 1 : null);
}
