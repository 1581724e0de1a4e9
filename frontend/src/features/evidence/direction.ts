import { oneOf } from "@/features/choices/choiceSpec";

/** The two ways to look at a token: as what was predicted, and as where the next one is predicted. */
export type Direction = "predictedBy" | "predicts";

export const DIRECTIONS = [
  { value: "predictedBy", label: "How it was predicted", hint: "Read at the token before it" },
  { value: "predicts", label: "What it predicts", hint: "Read at the token itself" },
] as const;

/** Which of the two a view shows, as a choice of it. */
export const direction = oneOf(["predictedBy", "predicts"], "predictedBy");
