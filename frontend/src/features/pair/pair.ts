/**
 * The pair of the page: A is the shown timeline, B what it is compared with. Set once, every view can
 * read it, and the address keeps it beside the choices of the open view.
 */
import { useCallback, useMemo } from "react";
import { useChoices, useShownChoices, visitChoices } from "@/features/choices/choices";
import {
  type Choice,
  type ChoiceSpec,
  type ChoiceTexts,
  oneOf,
  orNull,
  passing,
  serverId,
} from "@/features/choices/choiceSpec";
import { LENSES, type LensKind } from "@/model/lenses";

export const B_KINDS = ["prompt", "branch", "saved", "same"] as const;
export type BKind = (typeof B_KINDS)[number];

export type B =
  /** The last message with words changed; its text is kept by `promptText.ts` and never in the address. */
  | { readonly kind: "prompt" }
  /** A branch of the same conversation; null is the one that was written last. */
  | { readonly kind: "branch"; readonly id: string | null }
  /** Another conversation; null while none is chosen. */
  | { readonly kind: "saved"; readonly id: string | null }
  /** The same text, at another layer or through another lens. */
  | { readonly kind: "same" };

/** What follows a changed prompt. */
export const B_REPLIES = ["greedy", "sampled", "forced", "none"] as const;
export type BReply = (typeof B_REPLIES)[number];

export interface Pair {
  /** Null while no pair is set. */
  readonly vs: B | null;
  readonly reply: BReply;
  /** Null reads B through the lens that A is read through. */
  readonly lensB: LensKind | null;
}

/** `branch.ID`, `saved.ID`, or the kind alone. */
const bChoice: Choice<B> = {
  fallback: { kind: "same" },
  parse: (text) => {
    const [kind, id] = text.split(".", 2);
    if (kind === "branch" || kind === "saved") {
      const named = id === undefined ? null : serverId.parse(id);
      return named === undefined ? undefined : { kind, id: named };
    }
    return id === undefined && (kind === "prompt" || kind === "same") ? { kind } : undefined;
  },
  format: (b) => ("id" in b && b.id !== null ? `${b.kind}.${b.id}` : b.kind),
};

const SPEC: ChoiceSpec<Pair> = {
  vs: passing(orNull(bChoice)),
  reply: passing(oneOf(B_REPLIES, "greedy")),
  lensB: passing(
    orNull(
      oneOf(
        LENSES.map(({ kind }) => kind),
        "logit",
      ),
    ),
  ),
};

const PLACE = "pair";

/** Conversations whose pair was set since it was last looked at. */
const fresh = new Set<string>();

export interface PairState extends Pair {
  readonly change: (part: Partial<Pair>) => void;
  /** Ends the pair. */
  readonly end: () => void;
}

/** The pair of one conversation; it is gone when another conversation is shown. */
export function usePair(conversationId: string | null): PairState {
  const [pair, choose] = useChoices(PLACE, SPEC, conversationId);
  const change = useCallback(
    (part: Partial<Pair>) => {
      if (part.vs !== undefined && conversationId !== null) fresh.add(conversationId);
      choose(part);
    },
    [choose, conversationId],
  );
  const end = useCallback(() => choose({ vs: null, lensB: null }), [choose]);
  return useMemo(() => ({ ...pair, change, end }), [pair, change, end]);
}

/** Nothing is left to be chosen of it. */
export const isChosen = (b: B | null): b is B => b !== null && (b.kind !== "saved" || b.id !== null);

/** True once after a pair was set by hand: then Compare opens on its first difference. */
export const takeFresh = (conversationId: string): boolean => fresh.delete(conversationId);

/** The pair as the address names it. */
export const useShownPair = (): ChoiceTexts => useShownChoices(PLACE);

/** Sets the pair that an address names; one that names none has none. */
export function visitPair(texts: ChoiceTexts, conversationId: string | null): void {
  const own = Object.entries(texts).filter(([name]) => name in SPEC);
  visitChoices(PLACE, Object.fromEntries(own), conversationId);
}

/** The choices that an address names besides the pair. */
export const withoutPair = (texts: ChoiceTexts): ChoiceTexts =>
  Object.fromEntries(Object.entries(texts).filter(([name]) => !(name in SPEC)));
