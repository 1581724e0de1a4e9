import { useChoices } from "@/features/choices/choices";
import {
  type Choice,
  type ChoiceSpec,
  oneOf,
  orNull,
  passing,
  wholeNumber,
} from "@/features/choices/choiceSpec";
import { type Direction, direction } from "@/features/evidence/direction";

export type Foil = "best" | "mean" | "none" | number;

export const SHOWN = [5, 10, 20, 50] as const;

interface AttributionChoices {
  readonly direction: Direction;
  /** Null: the token that follows, or where none does the most probable one. */
  readonly target: number | null;
  readonly foil: Foil;
  /** How many words of a head and neurons of an MLP have rows of their own. */
  readonly shown: (typeof SHOWN)[number];
  /** Ids of the open rows. */
  readonly open: readonly string[];
}

const tokenId = wholeNumber(0, 0, 999_999);
const FOILS = ["best", "mean", "none"] as const;

const foil: Choice<Foil> = {
  fallback: "best",
  parse: (text) => FOILS.find((each) => each === text) ?? tokenId.parse(text),
  format: String,
};

/** So many fit into an address. */
export const MAX_OPEN = 24;
const ROW_ID = /^\d{1,4}(?:[am]|h\d{1,4})?$/;

const open: Choice<readonly string[]> = {
  fallback: [],
  parse: (text) => {
    const ids = text.split(".");
    return ids.length <= MAX_OPEN && ids.every((id) => ROW_ID.test(id)) ? ids : undefined;
  },
  format: (ids) => ids.slice(-MAX_OPEN).join("."),
};

const SPEC: ChoiceSpec<AttributionChoices> = {
  direction,
  target: passing(orNull(tokenId)),
  foil: passing(foil),
  shown: oneOf(SHOWN, 5),
  open: passing(open),
};

export const useAttributionChoices = (conversationId: string | null) =>
  useChoices("attribution", SPEC, conversationId);
