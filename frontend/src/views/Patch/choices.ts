import { useChoices } from "@/features/choices/choices";
import {
  type Choice,
  type ChoiceSpec,
  oneOf,
  orNull,
  passing,
  serverId,
  wholeNumber,
} from "@/features/choices/choiceSpec";

export const DIRECTIONS = ["denoise", "noise"] as const;
export type PatchDirection = (typeof DIRECTIONS)[number];

/** One patch: a layer, and the positions that are put from one text into the other. */
export interface Cell {
  readonly layer: number;
  /** Position in A, the clean text. */
  readonly a: number;
  /** Position in B, the corrupt text. */
  readonly b: number;
}

interface PatchChoices {
  readonly direction: PatchDirection;
  /** Ids of the tokens whose logits are compared; null: those that A and B go on with. */
  readonly answer: number | null;
  readonly foil: number | null;
  /** The map that is shown; null before one is started. */
  readonly job: string | null;
  readonly cell: Cell | null;
}

const layerNumber = wholeNumber(0, 0, 9_999);
const tokenId = wholeNumber(0, 0, 999_999);
const position = wholeNumber(0, 0, 999_999);

const cell: Choice<Cell> = {
  fallback: { layer: 0, a: 0, b: 0 },
  parse: (text) => {
    const [layer, a, b, ...rest] = text.split(".");
    const parsed = {
      layer: layerNumber.parse(layer ?? ""),
      a: position.parse(a ?? ""),
      b: position.parse(b ?? ""),
    };
    return rest.length > 0 || parsed.layer === undefined || parsed.a === undefined || parsed.b === undefined
      ? undefined
      : { layer: parsed.layer, a: parsed.a, b: parsed.b };
  },
  format: (each) => `${each.layer}.${each.a}.${each.b}`,
};

const SPEC: ChoiceSpec<PatchChoices> = {
  direction: oneOf(DIRECTIONS, "denoise"),
  answer: passing(orNull(tokenId)),
  foil: passing(orNull(tokenId)),
  job: passing(orNull(serverId)),
  cell: passing(orNull(cell)),
};

export const usePatchChoices = (conversationId: string | null) => useChoices("patch", SPEC, conversationId);
