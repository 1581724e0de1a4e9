/**
 * Everything that is chosen in this view, in one place. `CompareChoices` holds ids, layers and names
 * only, because the address tells it; what was typed is kept beside it and never leaves the page.
 */
import { useCallback, useState } from "react";
import { CELL_WIDTHS } from "@/charts/heatmap/geometry";
import { useChoices } from "@/features/choices/choices";
import {
  type ChoiceSpec,
  oneOf,
  onOff,
  orNull,
  passing,
  serverId,
  wholeNumber,
} from "@/features/choices/choiceSpec";
import { LENSES, type LensKind } from "@/model/lenses";
import { DIFFERENCE_IDS, type DifferenceId } from "./differences";
import type { OtherText } from "./otherSide";

const MAX_LAYER = 9_999;
const MAX_TOKEN_ID = 999_999;

export const OTHER_KINDS = ["branch", "saved", "prompt", "same"] as const;
export type OtherKind = (typeof OTHER_KINDS)[number];

/** `each`: every layer with itself; `fixed`: every layer of A with one of B; `one`: one of A with one of B. */
export const ROWS = ["each", "fixed", "one"] as const;
export type Rows = (typeof ROWS)[number];

export interface CompareChoices {
  /** What stands beside the conversation; null leaves it to what there is. */
  readonly other: OtherKind | null;
  readonly branchId: string | null;
  readonly savedId: string | null;
  /** Another prompt is followed by the conversation's own reply. */
  readonly withReply: boolean;
  /** Null leaves it to what is compared. */
  readonly rows: Rows | null;
  /** For `one`; null is the output, as below. */
  readonly layerA: number | null;
  /** For `fixed` and `one`. */
  readonly layerB: number | null;
  /** Null reads B through the lens that A is read through. */
  readonly lensB: LensKind | null;
  readonly difference: DifferenceId;
  /** The token whose probability is compared. */
  readonly tokenId: number | null;
  readonly hasTable: boolean;
}

/** What was typed and asked for as the other prompt. */
export interface CompareText {
  /** Null while nothing was typed: the box then has the conversation's own message. */
  readonly draft: string | null;
  /** What B is, with the history that it was asked in; null until it is asked for. */
  readonly asked: OtherText | null;
}

const layer = passing(orNull(wholeNumber(0, 0, MAX_LAYER)));

const SPEC: ChoiceSpec<CompareChoices & { readonly cellWidth: number }> = {
  other: passing(orNull(oneOf(OTHER_KINDS, "same"))),
  branchId: passing(orNull(serverId)),
  savedId: passing(orNull(serverId)),
  withReply: onOff(true),
  rows: passing(orNull(oneOf(ROWS, "each"))),
  layerA: layer,
  layerB: layer,
  lensB: passing(
    orNull(
      oneOf(
        LENSES.map(({ kind }) => kind),
        "logit",
      ),
    ),
  ),
  difference: oneOf(DIFFERENCE_IDS, "js"),
  tokenId: passing(orNull(wholeNumber(0, 0, MAX_TOKEN_ID))),
  hasTable: onOff(false),
  cellWidth: oneOf<number>(CELL_WIDTHS, 92),
};

const NO_TEXT: CompareText = { draft: null, asked: null };

/** What was typed beside each conversation, for as long as the page is open: another view is soon left again. */
const typed = new Map<string, CompareText>();
const KEPT_CONVERSATIONS = 16;

function keep(conversationId: string, next: CompareText): void {
  typed.delete(conversationId);
  typed.set(conversationId, next);
  const oldest = typed.keys().next().value;
  if (typed.size > KEPT_CONVERSATIONS && oldest !== undefined) typed.delete(oldest);
}

export interface CompareState {
  readonly choices: CompareChoices;
  readonly text: CompareText;
  readonly cellWidth: number;
  readonly change: (part: Partial<CompareChoices>) => void;
  readonly write: (part: Partial<CompareText>) => void;
  readonly zoom: (cellWidth: number) => void;
}

/** Of one conversation; who shows another one is mounted anew. */
export function useCompareChoices(conversationId: string | null): CompareState {
  const key = conversationId ?? "";
  const [{ cellWidth, ...choices }, change] = useChoices("compare", SPEC, conversationId);
  const [text, setText] = useState(() => typed.get(key) ?? NO_TEXT);
  const write = useCallback(
    (part: Partial<CompareText>) => {
      setText((before) => {
        const next = { ...before, ...part };
        keep(key, next);
        return next;
      });
    },
    [key],
  );
  const zoom = useCallback((width: number) => change({ cellWidth: width }), [change]);
  return { choices, text, cellWidth, change, write, zoom };
}
