/** From what is chosen to the interventions that the server takes, and their controls. */
import type { Intervention } from "@/model/timeline";
import type { components } from "@/types/api";
import type { SteeringChoices } from "./choices";
import type { ContrastTexts } from "./contrastTexts";

type Direction =
  | components["schemas"]["TokenDirection"]
  | components["schemas"]["LensDirection"]
  | components["schemas"]["ContrastDirection"]
  | components["schemas"]["RandomDirection"];
type Operation = Intervention["op"];

export interface Layers {
  readonly first: number;
  readonly last: number;
}

/** The layers that are chosen; without a choice the middle third of the model. */
export function layersOf({ from, to }: Pick<SteeringChoices, "from" | "to">, nLayers: number): Layers {
  const within = (layer: number): number => Math.min(nLayers, Math.max(0, layer));
  const first = within(from ?? Math.ceil(nLayers / 3));
  return { first, last: Math.max(first, within(to ?? Math.floor((2 * nLayers) / 3))) };
}

/** Random directions of the control: any will do, and the same ones draw the same curve. */
const CONTROL_SEEDS = [1, 2] as const;

/** Of the control that the server measures beside a dose curve. */
export const DOSE_CONTROL_SEED = 0;

const random = (seed: number): Direction => ({ kind: "random", seed });

function directionOf(
  { by, steer }: Pick<SteeringChoices, "by" | "steer">,
  texts: ContrastTexts,
): Direction | null {
  if (by === "contrast") {
    const [plus, minus] = [texts.plus.trim(), texts.minus.trim()];
    return plus === "" || minus === ""
      ? null
      : { kind: "contrast", plus: [texts.plus], minus: [texts.minus] };
  }
  if (steer === null) return null;
  return by === "lens"
    ? { kind: "lens", lens: "jacobian", token_id: steer }
    : { kind: "token", token_id: steer };
}

export interface Planned {
  /** What is to be done, at a strength where it has one. */
  readonly at: (strength: number) => readonly Intervention[];
  /** The same with random directions of the same length. */
  readonly controlAt: (strength: number) => readonly Intervention[];
  /** Of the random directions of the control, in their order. */
  readonly controlSeeds: readonly number[];
}

/** Null while something is still to be chosen. */
export function plan(choices: SteeringChoices, nLayers: number, texts: ContrastTexts): Planned | null {
  const { how, swap, by, touch } = choices;
  const direction = directionOf(choices, texts);
  if (direction === null) return null;
  const { first, last } = layersOf(choices, nLayers);
  const layers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const under = (op: Operation): readonly Intervention[] => [
    { site: "resid", layers, heads: null, positions: touch, op },
  ];
  const [seed, other] = CONTROL_SEEDS;
  switch (how) {
    case "add":
      return {
        at: (strength) => under({ kind: "add", direction, strength }),
        controlAt: (strength) => under({ kind: "add", direction: random(seed), strength }),
        controlSeeds: [seed],
      };
    case "ablate":
      return {
        at: () => under({ kind: "project_out", direction }),
        controlAt: () => under({ kind: "project_out", direction: random(seed) }),
        controlSeeds: [seed],
      };
    case "swap": {
      const second = by === "contrast" || swap === null ? null : directionOf({ by, steer: swap }, texts);
      if (second === null) return null;
      return {
        at: () => under({ kind: "exchange", directions: [direction, second] }),
        controlAt: () => under({ kind: "exchange", directions: [random(seed), random(other)] }),
        controlSeeds: [seed, other],
      };
    }
  }
}

const STEPS = 6;

const LEAST_REACH = 0.25;

/** How far the curve goes to both sides: to the next power of two from twice the strength on. */
export const reachOf = (strength: number): number =>
  2 ** Math.ceil(Math.log2(Math.max(LEAST_REACH, 2 * Math.abs(strength))));

/** Strengths of the curve, 0 in their middle. */
export const strengthsUpTo = (reach: number): number[] =>
  Array.from({ length: 2 * STEPS + 1 }, (_, i) => (reach * (i - STEPS)) / STEPS);
