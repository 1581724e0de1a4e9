import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff } from "@/features/choices/choiceSpec";

export const SCOPES = ["reply", "all"] as const;

export interface LayersChoices {
  /** Which tokens are shown: those that the model wrote, or all of them. */
  readonly scope: (typeof SCOPES)[number];
  /** Words are told apart by what they equal. */
  readonly hasMarks: boolean;
  /** What the layer changed is marked. */
  readonly hasChanges: boolean;
  /** The token that stands in the text is written under each word that differs from it. */
  readonly hasActual: boolean;
  /** The ground of a word is as strong as its probability. */
  readonly hasTint: boolean;
}

const SPEC: ChoiceSpec<LayersChoices> = {
  scope: oneOf(SCOPES, "reply"),
  hasMarks: onOff(true),
  hasChanges: onOff(true),
  hasActual: onOff(true),
  hasTint: onOff(false),
};

/** What of the conversation is shown and how it is marked. */
export const useLayersChoices = () => useChoices("layers", SPEC);
