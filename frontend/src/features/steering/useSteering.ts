/** What Steer shows for the conversation on the page, and how it is changed. */
import { useEffect } from "react";
import { useChoices } from "@/features/choices/choices";
import { formatChoices, parseChoices } from "@/features/choices/choiceSpec";
import type { Steering, Timeline } from "@/model/timeline";
import { STEER, STEERING_SPEC, type SteeringChoices, holdUnsaved, takeUnsaved } from "./choices";
import { type ContrastTexts, useContrastTexts } from "./contrastTexts";

export interface SteeringState {
  readonly choices: SteeringChoices;
  readonly change: (part: Partial<SteeringChoices>) => void;
  readonly texts: ContrastTexts;
  readonly writeTexts: (texts: ContrastTexts) => void;
}

export function useSteering({ conversationId, steering }: Timeline): SteeringState {
  const [chosen, choose] = useChoices(STEER, STEERING_SPEC, conversationId);
  const [written, writeTexts] = useContrastTexts(conversationId);
  // What was chosen for an example goes on when the example becomes a conversation.
  useEffect(() => {
    const held = conversationId === null ? null : takeUnsaved();
    if (conversationId === null) holdUnsaved(chosen);
    else if (held !== null) choose(held);
  }, [conversationId, chosen, choose]);
  // A branch that was written under interventions opens with them.
  const isUntouched = Object.keys(formatChoices(STEERING_SPEC, chosen)).length === 0;
  const own = isUntouched && steering !== undefined ? choicesOf(steering) : null;
  const choices = own ?? chosen;
  const ownTexts = steering === undefined ? null : textsOf(steering);
  return {
    choices,
    change: (part) => choose({ ...choices, ...part }),
    texts: written.plus === "" && written.minus === "" ? (ownTexts ?? written) : written,
    writeTexts,
  };
}

/** The choices that give these interventions; null where they are others than Steer's. */
export function choicesOf({ interventions }: Steering): SteeringChoices | null {
  const [only, ...others] = interventions;
  if (only?.site !== "resid" || others.length > 0 || typeof only.positions !== "string") return null;
  const { op, layers, positions } = only;
  const from = Math.min(...layers);
  const to = Math.max(...layers);
  if (layers.length !== to - from + 1) return null;
  const base: SteeringChoices = { ...parseChoices(STEERING_SPEC, {}), from, to, touch: positions };
  if (op.kind === "exchange") {
    const [first, second] = op.directions;
    if (first?.kind !== "token" && first?.kind !== "lens") return null;
    if (second?.kind !== first.kind) return null;
    return { ...base, how: "swap", by: first.kind, steer: first.token_id, swap: second.token_id };
  }
  if (op.kind !== "add" && op.kind !== "project_out") return null;
  const { direction } = op;
  if (direction.kind === "random") return null;
  return {
    ...base,
    how: op.kind === "add" ? "add" : "ablate",
    strength: op.kind === "add" ? op.strength : base.strength,
    by: direction.kind,
    steer: direction.kind === "contrast" ? null : direction.token_id,
  };
}

function textsOf({ interventions }: Steering): ContrastTexts | null {
  const op = interventions[0]?.op;
  if (op?.kind !== "add" && op?.kind !== "project_out") return null;
  const { direction } = op;
  return direction.kind === "contrast"
    ? { plus: direction.plus.join("\n"), minus: direction.minus.join("\n") }
    : null;
}
