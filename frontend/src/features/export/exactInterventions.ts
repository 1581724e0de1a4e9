/** Interventions as a program writes them down: positions and token ids, nothing that is left to look up. */
import type { Intervention, Steering, Token } from "@/model/timeline";
import type { components } from "@/types/api";

type Direction = components["schemas"]["AddOperation"]["direction"];

export type ExactDirection =
  | { readonly kind: "token" | "lens"; readonly tokenId: number; readonly text: string }
  | { readonly kind: "random"; readonly seed: number }
  | { readonly kind: "contrast"; readonly plus: readonly Ids[]; readonly minus: readonly Ids[] };

type Ids = readonly number[];

export type ExactOperation =
  | { readonly kind: "zero" }
  | { readonly kind: "mean" | "replace"; readonly ids: Ids; readonly from: Ids }
  | { readonly kind: "add"; readonly direction: ExactDirection; readonly strength: number }
  | { readonly kind: "project_out"; readonly direction: ExactDirection }
  | { readonly kind: "exchange"; readonly directions: readonly ExactDirection[] }
  | { readonly kind: "knock_out"; readonly sources: Ids };

export interface ExactIntervention {
  readonly site: Intervention["site"];
  readonly layers: readonly number[];
  /** Null for all. */
  readonly heads: readonly number[] | null;
  readonly positions: Ids;
  readonly op: ExactOperation;
}

/** Numbers that no program can compute again; the message says which. */
export class NotRecomputable extends Error {
  override readonly name = "NotRecomputable";
}

/** What the server knows of texts and ids. */
export interface Lookups {
  /** The ids of a text, as the server feeds it to the model. */
  readonly idsOf: (text: string) => Promise<Ids>;
  readonly textOf: (tokenId: number) => Promise<string>;
}

/** Raises NotRecomputable. `tokens` are the whole timeline that was computed under them. */
export const exactInterventions = (
  { interventions, reply_start }: Steering,
  tokens: readonly Token[],
  lookups: Lookups,
): Promise<ExactIntervention[]> =>
  Promise.all(
    interventions.map(async ({ site, layers, heads, positions, op }) => ({
      site,
      layers,
      heads: site === "head" ? (heads ?? null) : null,
      positions: typeof positions === "string" ? touched(positions, tokens, reply_start) : positions,
      op: await exactOperation(site, op, { tokens, replyStart: reply_start }, lookups),
    })),
  );

const isContent = ({ role, special }: Token): boolean => role !== "template" && !special;

/** The positions that a name stands for, as the server has it (`Intervention.positions` of the API). */
function touched(name: "reply" | "prompt" | "all", tokens: readonly Token[], replyStart: number): Ids {
  const start = Math.max(replyStart, 1);
  const reply =
    start >= tokens.length
      ? [tokens.length - 1]
      : tokens.slice(start).flatMap(({ role, index }) => (role === "assistant" ? [index - 1] : []));
  const prompt = tokens
    .filter((token) => isContent(token) && !(token.role === "assistant" && token.index >= replyStart))
    .map(({ index }) => index);
  const found = { reply, prompt, all: [...reply, ...prompt] }[name];
  return [...new Set(found)].sort((a, b) => a - b);
}

async function exactOperation(
  site: Intervention["site"],
  op: Intervention["op"],
  { tokens, replyStart }: { readonly tokens: readonly Token[]; readonly replyStart: number },
  lookups: Lookups,
): Promise<ExactOperation> {
  switch (op.kind) {
    case "zero":
      return { kind: "zero" };
    case "mean": {
      const before = tokens.slice(0, replyStart);
      const from = before.slice(1).flatMap(({ special, index }) => (special ? [] : [index]));
      return { kind: "mean", ids: before.map(({ id }) => id), from };
    }
    case "replace": {
      const ids = op.from.token_ids;
      if (ids === null || ids === undefined) {
        throw new NotRecomputable("The run that states were taken from is not named by its token ids.");
      }
      return { kind: "replace", ids, from: op.positions };
    }
    case "knock_out":
      return { kind: "knock_out", sources: op.sources };
    case "add":
      return {
        kind: "add",
        direction: await exactDirection(site, op.direction, lookups),
        strength: op.strength,
      };
    case "project_out":
      return { kind: "project_out", direction: await exactDirection(site, op.direction, lookups) };
    case "exchange": {
      const directions = op.directions.map((each) => exactDirection(site, each, lookups));
      return { kind: "exchange", directions: await Promise.all(directions) };
    }
  }
}

async function exactDirection(
  site: Intervention["site"],
  direction: Direction,
  { idsOf, textOf }: Lookups,
): Promise<ExactDirection> {
  if (site === "head") {
    throw new NotRecomputable(
      "A direction was changed in what single heads write, which the program does not do. Take the JSON, which has the interventions and every number.",
    );
  }
  switch (direction.kind) {
    case "token":
    case "lens":
      return {
        kind: direction.kind,
        tokenId: direction.token_id,
        text: await textOf(direction.token_id),
      };
    case "random":
      return { kind: "random", seed: direction.seed };
    case "contrast": {
      const [plus, minus] = await Promise.all(
        [direction.plus, direction.minus].map((texts) => Promise.all(texts.map(idsOf))),
      );
      return { kind: "contrast", plus: plus ?? [], minus: minus ?? [] };
    }
  }
}
