/** The change that a worked example ends with, and what a person expected of it. */
import { create } from "zustand";
import type { Timeline } from "@/model/timeline";
import type { Example } from "./examples";

export type Experiment = NonNullable<Example["experiment"]>;

interface Guesses {
  /** By the example's text, until the page is left. */
  readonly guesses: Readonly<Record<string, string>>;
  readonly guess: (example: Example, choice: string) => void;
}

export const useGuesses = create<Guesses>()((set) => ({
  guesses: {},
  guess: ({ text }, choice) => set(({ guesses }) => ({ guesses: { ...guesses, [text]: choice } })),
}));

/** Whether a branch was computed under the experiment's change. Both come from the server, so their fields are in one order. */
export const isUnder = ({ interventions }: Experiment, { steering }: Timeline): boolean =>
  steering !== undefined && JSON.stringify(steering.interventions) === JSON.stringify(interventions);
