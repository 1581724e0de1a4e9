import { useRef } from "react";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { Refusable } from "@/ui/Refusable";
import { Select } from "@/ui/Select";
import { ChangedText } from "./ChangedText";
import { lastUserText, withLastUserText } from "./history";
import { B_REPLIES, type BReply } from "./pair";
import type { PairSide } from "./pairSide";
import type { OwnReply } from "./useOwnReply";

interface PromptFormProps {
  readonly timeline: Timeline;
  readonly mode: "chat" | "completion";
  readonly model: ModelInfo;
  readonly pair: PairSide;
  readonly ownReply: OwnReply;
  /** After the comparison was begun. */
  readonly onRun?: () => void;
}

const REPLIES: Readonly<Record<BReply, { readonly label: string; readonly hint: string }>> = {
  greedy: { label: "its own, greedy", hint: "The model continues B with its top-1 prediction each time" },
  sampled: {
    label: "its own, sampled as A’s",
    hint: "The model continues B with A’s sampling settings and seed",
  },
  forced: {
    label: "A’s reply, forced",
    hint: "The same tokens after both prompts; nothing is generated or saved",
  },
  none: { label: "none", hint: "Compares the prompts only; nothing is generated or saved" },
};

/** The last message with its words to be replaced. Enter compares: B generates its own reply unless another is chosen. */
export function PromptForm({ timeline, mode, model, pair, ownReply, onRun }: PromptFormProps) {
  const { state, text, write } = pair;
  const own = lastUserText(timeline.tokens, mode);
  const draft = text.draft ?? own;
  // The text with the word as it is being typed, until that word is left.
  const typing = useRef<string | null>(null);
  const generates = state.reply === "greedy" || state.reply === "sampled";
  const bos = model.bos_token_id === null ? null : timeline.tokens[0]?.id === model.bos_token_id;
  const refusal = !generates
    ? null
    : state.reply === "sampled" && !ownReply.canSample
      ? "A’s sampling settings are not known, so B cannot be sampled alike."
      : ownReply.refusedBecause;
  const compare = (wanted: string): void => {
    if (wanted.trim() === "" || refusal !== null) {
      write({ draft: wanted });
      return;
    }
    const asked = { ...withLastUserText(timeline.tokens, mode, wanted), ...(bos === null ? {} : { bos }) };
    write({ draft: wanted, asked: generates ? null : asked });
    state.change({ vs: { kind: "prompt" } });
    if (generates) ownReply.write(asked, state.reply);
    onRun?.();
  };
  return (
    <ChangedText
      wordsLabel={
        mode === "chat" ? "Your message: press a word to replace it" : "The text: press a word to replace it"
      }
      textLabel="The prompt of B"
      own={own}
      draft={draft}
      canOffer={refusal === null}
      onDraft={(changed) => write({ draft: changed })}
      onTyping={(typed) => {
        typing.current = typed;
      }}
      onRun={compare}
    >
      <Select
        label="B’s reply"
        value={state.reply}
        options={B_REPLIES.map((value) => ({ value, ...REPLIES[value] }))}
        onChange={(reply) => state.change({ reply })}
      />
      <Refusable because={refusal}>
        <Button
          look="primary"
          disabled={refusal === null && draft.trim() === ""}
          title={generates ? "B is saved as a conversation of its own" : undefined}
          // Leaving the word would close it and move what stands below, this button too, before the click.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => compare(typing.current ?? draft)}
        >
          Compare
        </Button>
      </Refusable>
      {refusal !== null && (
        <p aria-hidden="true" className="self-center text-label text-muted">
          {refusal}
        </p>
      )}
    </ChangedText>
  );
}
