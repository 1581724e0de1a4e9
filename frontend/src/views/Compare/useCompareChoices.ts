/**
 * Everything that is chosen in this view, in one place. `CompareChoices` holds ids, layers and names
 * only, so that an address can carry it; what was typed is kept beside it and never leaves the page.
 */
import { useCallback, useState } from "react";
import type { OtherText } from "@/api/otherSide";
import { CELL_WIDTHS } from "@/components/heatmap/geometry";
import { DIFFERENCE_IDS, type DifferenceId } from "@/lib/differences";
import type { LensKind } from "@/lib/lenses";
import { readStored, writeStored } from "@/lib/stored";

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
}

const NO_CHOICES: Omit<CompareChoices, "difference"> = {
  other: null,
  branchId: null,
  savedId: null,
  rows: null,
  layerA: null,
  layerB: null,
  lensB: null,
  tokenId: null,
};

/** What was typed and asked for as the other prompt. */
export interface CompareText {
  /** Null while nothing was typed: the box then has the conversation's own message. */
  readonly draft: string | null;
  /** What B is, with the history that it was asked in; null until it is asked for. */
  readonly asked: OtherText | null;
}

interface Kept {
  readonly choices: Omit<CompareChoices, "difference">;
  readonly text: CompareText;
}

/** How it is drawn, which is remembered in this browser. */
export interface CompareLook {
  readonly difference: DifferenceId;
  readonly cellWidth: number;
}

const STORED_AS = "compare";
const DEFAULT_LOOK: CompareLook = { difference: "js", cellWidth: 92 };

/** What is stored, as far as it still fits. */
export function parseCompareLook(stored: unknown): CompareLook | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(stored));
  const oneOf = <T>(choices: readonly T[], key: keyof CompareLook, fallback: T): T =>
    choices.find((choice) => choice === values.get(key)) ?? fallback;
  return {
    difference: oneOf(DIFFERENCE_IDS, "difference", DEFAULT_LOOK.difference),
    cellWidth: oneOf<number>(CELL_WIDTHS, "cellWidth", DEFAULT_LOOK.cellWidth),
  };
}

/** What was chosen beside each conversation, for as long as the page is open: another view is soon left again. */
const kept = new Map<string, Kept>();
const KEPT_CONVERSATIONS = 16;

function keep(conversationId: string, next: Kept): void {
  kept.delete(conversationId);
  kept.set(conversationId, next);
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT_CONVERSATIONS && oldest !== undefined) kept.delete(oldest);
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
  const [look, setLook] = useState(() => readStored(STORED_AS, parseCompareLook, DEFAULT_LOOK));
  const [state, setState] = useState<Kept>(
    () => kept.get(key) ?? { choices: NO_CHOICES, text: { draft: null, asked: null } },
  );
  const draw = useCallback((part: Partial<CompareLook>) => {
    setLook((before) => {
      const next = { ...before, ...part };
      writeStored(STORED_AS, next);
      return next;
    });
  }, []);
  const put = useCallback(
    (after: (before: Kept) => Kept) => {
      setState((before) => {
        const next = after(before);
        keep(key, next);
        return next;
      });
    },
    [key],
  );
  const change = useCallback(
    ({ difference, ...part }: Partial<CompareChoices>) => {
      if (difference !== undefined) draw({ difference });
      put((before) => ({ ...before, choices: { ...before.choices, ...part } }));
    },
    [draw, put],
  );
  const write = useCallback(
    (part: Partial<CompareText>) => put((before) => ({ ...before, text: { ...before.text, ...part } })),
    [put],
  );
  const zoom = useCallback((cellWidth: number) => draw({ cellWidth }), [draw]);
  return {
    choices: { ...state.choices, difference: look.difference },
    text: state.text,
    cellWidth: look.cellWidth,
    change,
    write,
    zoom,
  };
}
