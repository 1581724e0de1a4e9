/** The text that the parts of a token are resampled from, and how it is chosen. */
import { useMemo } from "react";
import { useChat } from "@/features/chat/chat";
import { lastUserText, withLastUserText } from "@/features/pair/history";
import { type OtherText, useOtherSide } from "@/features/pair/otherSide";
import { usePromptText } from "@/features/pair/promptText";
import type { Timeline } from "@/model/timeline";
import type { ReadState } from "@/reading/readState";
import type { ModelInfo } from "@/types/schemas";
import { type Donor, donorAt, promptEndAt } from "./donor";
import { useDonorText } from "./donorTexts";

export interface DonorState {
  /** The message as it is. */
  readonly own: string;
  /** As it was put in Compare or Patch, else as it is. */
  readonly proposed: string;
  /** Null while none is chosen. */
  readonly text: string | null;
  readonly choose: (text: string | null) => void;
  readonly reading: ReadState;
  /** Null until it is read. */
  readonly donor: Donor | null;
}

export function useDonor(timeline: Timeline, model: ModelInfo, position: number): DonorState {
  const { conversationId, tokens } = timeline;
  const mode = useChat((chat) => chat.mode);
  const promptEnd = promptEndAt(tokens, position);
  const [text, choose] = useDonorText(conversationId, promptEnd);
  const [{ draft }] = usePromptText(conversationId);
  const before = useMemo(() => tokens.slice(0, promptEnd), [tokens, promptEnd]);
  const asked = useMemo<OtherText | null>(
    () =>
      text === null
        ? null
        : {
            ...withLastUserText(before, mode, text),
            ...(model.bos_token_id === null ? {} : { bos: before[0]?.id === model.bos_token_id }),
          },
    [text, before, mode, model.bos_token_id],
  );
  const { side, ...reading } = useOtherSide(timeline, asked === null ? null : { kind: "text", text: asked });
  const donor = useMemo(
    () => (side === null ? null : donorAt(tokens, position, side.tokens)),
    [side, tokens, position],
  );
  const own = lastUserText(before, mode);
  // What Compare and Patch have changed is the last message.
  const isLast = !tokens.slice(promptEnd).some(({ role }) => role === "user");
  return { own, proposed: (isLast ? draft : null) ?? own, text, choose, reading, donor };
}
