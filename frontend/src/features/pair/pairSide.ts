/** B as a timeline: from what is set, and what there is, to exact ids. */
import { useMemo } from "react";
import { useBranchFacts } from "@/features/library/library";
import type { SavedConversation } from "@/features/library/conversations";
import type { Timeline } from "@/model/timeline";
import { type OtherBranch, chosenBranch, otherBranches } from "./branchesBeside";
import {
  type OtherRequest,
  type OtherSide,
  type OtherSideRead,
  type OtherText,
  useOtherSide,
} from "./otherSide";
import { type B, type PairState, usePair } from "./pair";
import { type PromptText, usePromptText } from "./promptText";

/** B where none is set: another branch if there is one, else a changed prompt. */
export const proposedB = (branches: readonly OtherBranch[]): B =>
  branches.length > 0 ? { kind: "branch", id: null } : { kind: "prompt" };

/** Null where something is still to be chosen or typed. */
export function otherRequest(
  b: B,
  branches: readonly OtherBranch[],
  asked: OtherText | null,
): OtherRequest | null {
  switch (b.kind) {
    case "branch": {
      const branch = chosenBranch(b.id, branches);
      return branch === null ? null : { kind: "conversation", id: branch.id };
    }
    case "saved":
      return b.id === null ? null : { kind: "conversation", id: b.id };
    case "prompt":
      return asked === null ? null : { kind: "text", text: asked };
    case "same":
      return { kind: "same" };
  }
}

/** A text and then the conversation's own reply, so that both sides are to predict the same tokens. */
export function withReplyOf(side: OtherSide, { tokens, turns }: Timeline): OtherSide {
  const reply = tokens.slice(turns.at(-1)?.replyStart ?? tokens.length);
  const all = [...side.tokens, ...reply].map((token, index) => ({
    ...token,
    index,
    // The scores under the conversation's own prompt are not those under this one.
    logprob_nats: null,
    rank: null,
    entropy_nats: null,
    lens: null,
  }));
  return { ...side, source: { token_ids: all.map(({ id }) => id) }, tokens: all };
}

export interface PairSide {
  readonly state: PairState;
  readonly text: PromptText;
  readonly write: (part: Partial<PromptText>) => void;
  /** Null until they are read. */
  readonly facts: SavedConversation | null;
  readonly branches: readonly OtherBranch[];
  /** What is set, or what Compare proposes. */
  readonly b: B;
  readonly other: OtherSideRead;
  /** With A's reply after it where that is forced on B; null until it is read. */
  readonly side: OtherSide | null;
}

/** `isWanted` false reads nothing: no view shows B. */
export function usePairSide(timeline: Timeline, isWanted = true): PairSide {
  const { conversationId } = timeline;
  const state = usePair(conversationId);
  const [text, write] = usePromptText(conversationId);
  const facts = useBranchFacts({
    id: conversationId,
    nTokens: timeline.status === "settled" ? timeline.tokens.length : null,
  });
  const branches = useMemo(
    () => otherBranches(facts?.branches ?? [], conversationId),
    [facts, conversationId],
  );
  const b = state.vs ?? proposedB(branches);
  const other = useOtherSide(timeline, isWanted ? otherRequest(b, branches, text.asked) : null);
  const isForced = b.kind === "prompt" && state.reply === "forced";
  const side = useMemo(
    () => (other.side !== null && isForced ? withReplyOf(other.side, timeline) : other.side),
    [other.side, isForced, timeline],
  );
  return { state, text, write, facts, branches, b, other, side };
}

/** B in a few words: its text, its title or its branch. Null while nothing is chosen. */
export function nameOfB(
  { b, branches, text }: Pick<PairSide, "b" | "branches" | "text">,
  title: string | null,
): string | null {
  switch (b.kind) {
    case "prompt":
      return text.asked === null ? null : (text.draft ?? "a changed prompt");
    case "branch": {
      const branch = chosenBranch(b.id, branches);
      return branch === null ? null : `branch ${branch.label}`;
    }
    case "saved":
      return b.id === null ? null : (title ?? "another conversation");
    case "same":
      return "the same text";
  }
}
