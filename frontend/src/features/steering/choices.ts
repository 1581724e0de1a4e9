/** What is chosen in Steer: which direction, where it acts and how strongly. It stands in the address. */
import { visitChoices } from "@/features/choices/choices";
import {
  type Choice,
  type ChoiceSpec,
  formatChoices,
  oneOf,
  orNull,
  parseChoices,
  passing,
  wholeNumber,
} from "@/features/choices/choiceSpec";

/** `add`: towards it or away from it. `ablate`: projected out. `swap`: exchanged with another token's. */
export type Change = "add" | "ablate" | "swap";
/** `token`: the unembedding's row. `lens`: by the Jacobian lens. `contrast`: of two texts. */
export type DirectionKind = "token" | "lens" | "contrast";
export type Touched = "reply" | "prompt" | "all";

export interface SteeringChoices {
  /** Null while none is chosen. */
  readonly steer: number | null;
  readonly how: Change;
  /** The token that it is swapped with. */
  readonly swap: number | null;
  readonly by: DirectionKind;
  /** First and last layer; null for the middle of the model. */
  readonly from: number | null;
  readonly to: number | null;
  /** Of `add`: a share of the length of each residual stream; negative pushes away. */
  readonly strength: number;
  readonly touch: Touched;
}

/** At each layer of a third of the model: enough to change a word, little enough to leave a sentence. */
export const DEFAULT_STRENGTH = 0.1;
/** The server's bound. */
export const MAX_STRENGTH = 10_000;
const MAX_ID = 999_999;
const MAX_LAYER = 9_999;

/** A number with a sign, and at most four digits after its point. */
const signed = (fallback: number): Choice<number> => ({
  fallback,
  parse: (text) =>
    /^-?\d{1,5}(\.\d{1,4})?$/.test(text) && Math.abs(Number(text)) <= MAX_STRENGTH ? Number(text) : undefined,
  format: (value) => String(Number(value.toFixed(4))),
});

export const STEER = "steer";

export const STEERING_SPEC: ChoiceSpec<SteeringChoices> = {
  steer: passing(orNull(wholeNumber(0, 0, MAX_ID))),
  how: passing(oneOf(["add", "ablate", "swap"], "add")),
  swap: passing(orNull(wholeNumber(0, 0, MAX_ID))),
  by: passing(oneOf(["token", "lens", "contrast"], "token")),
  from: passing(orNull(wholeNumber(0, 0, MAX_LAYER))),
  to: passing(orNull(wholeNumber(0, 0, MAX_LAYER))),
  strength: passing(signed(DEFAULT_STRENGTH)),
  touch: passing(oneOf(["reply", "prompt", "all"], "reply")),
};

/** What was chosen for an example that is about to become a conversation. */
let unsaved: SteeringChoices | null = null;

export const holdUnsaved = (values: SteeringChoices | null): void => {
  unsaved = values;
};

/** Gives it once. */
export function takeUnsaved(): SteeringChoices | null {
  const values = unsaved;
  unsaved = null;
  return values;
}

/** Sets what Steer shows for a conversation, before it is opened. */
export function prepareSteering(part: Partial<SteeringChoices>, conversationId: string | null): void {
  const values = { ...parseChoices(STEERING_SPEC, {}), ...part };
  holdUnsaved(conversationId === null ? values : null);
  visitChoices(STEER, formatChoices(STEERING_SPEC, values), conversationId);
}
