/** Interventions in words. */
import { layerList } from "@/model/layers";
import type { Intervention } from "@/model/timeline";
import { cellTextOfText } from "@/model/tokens";
import type { components } from "@/types/api";

type Operation = Intervention["op"];
type Direction = components["schemas"]["AddOperation"]["direction"];
export type TextOf = (tokenId: number) => string | null;

const TOUCHED = {
  reply: "in the reply",
  prompt: "in the prompt",
  all: "in prompt and reply",
} as const;

/** Tokens that a direction or an exchange names. */
export function tokensOf({ op }: Intervention): readonly number[] {
  const of = (direction: Direction): readonly number[] =>
    direction.kind === "token" || direction.kind === "lens" ? [direction.token_id] : [];
  if (op.kind === "exchange") return op.directions.flatMap(of);
  return op.kind === "add" || op.kind === "project_out" ? of(op.direction) : [];
}

const quoted = (text: string | null, id: number): string =>
  text === null ? `token ${id}` : `“${cellTextOfText(text)}”`;

function directionWords(direction: Direction, textOf: TextOf): string {
  switch (direction.kind) {
    case "token":
      return quoted(textOf(direction.token_id), direction.token_id);
    case "lens":
      return `${quoted(textOf(direction.token_id), direction.token_id)} by the Jacobian lens`;
    case "contrast":
      return "the contrast of two texts";
    case "random":
      return "a random direction";
  }
}

/** `0.1`, `−0.25`. */
export const formatStrength = (strength: number): string =>
  String(Number(strength.toFixed(4))).replace("-", "−");

/** What is done, as a phrase: `adds 0.2 × “·Madrid”`. */
function operationWords(op: Operation, textOf: TextOf): string {
  switch (op.kind) {
    case "add":
      return `adds ${formatStrength(op.strength)} × ${directionWords(op.direction, textOf)}`;
    case "project_out":
      return `projects ${directionWords(op.direction, textOf)} out`;
    case "exchange":
      return `swaps ${op.directions.map((direction) => directionWords(direction, textOf)).join(" with ")}`;
    case "zero":
      return "sets to zero";
    case "mean":
      return "sets to the mean";
    case "replace":
      return "takes from another run";
    case "knock_out":
      return `removes attention to ${op.sources.length === 1 ? "one token" : `${op.sources.length} tokens`}`;
  }
}

const SITES = { resid: null, attn: "attention", mlp: "MLP", head: "heads" } as const;

/** `adds 0.2 × “·Madrid” at layers 4–8 in the reply`. */
export function inWords({ site, layers, heads, positions, op }: Intervention, textOf: TextOf): string {
  const part = site === "head" && heads?.length === 1 ? "head" : SITES[site];
  const which = heads === null || heads === undefined ? "" : ` ${heads.join(", ")}`;
  const blocks = layerList(layers).replace(/^layers?/, layers.length === 1 ? "block" : "blocks");
  const where = part === null ? layerList(layers) : `the ${part}${which} of ${blocks}`;
  const touched =
    typeof positions === "string"
      ? TOUCHED[positions]
      : `at ${positions.length === 1 ? `index ${positions[0] ?? ""}` : `${positions.length} tokens`}`;
  return `${operationWords(op, textOf)} at ${where} ${touched}`;
}
