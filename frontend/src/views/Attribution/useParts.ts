/** What is read for the view: the parts of the prediction, those of the rows that are open, and the words of the leading head. */
import { useMemo } from "react";
import type { Timeline } from "@/model/timeline";
import { type AttributionQuestion, largestPart, leadingHead, useAttributions } from "@/reading/attribution";
import type { ReadState } from "@/reading/readState";
import type { AttributionPart, AttributionResponse, ModelInfo } from "@/types/schemas";
import type { Foil } from "./choices";
import { type PartRow, headId, partTree } from "./parts";

interface Asked {
  readonly position: number;
  readonly target: number | null;
  readonly foil: Foil;
  /** Rows of their own for so many words of a head and neurons of an MLP. */
  readonly shown: number;
  /** Ids of the open rows. */
  readonly open: ReadonlySet<string>;
}

export interface Parts {
  readonly reading: ReadState;
  /** Null until it is read. */
  readonly answer: AttributionResponse | null;
  readonly tree: readonly PartRow[];
  /** How far the reading of an open row is, by its id. */
  readonly details: ReadonlyMap<string, ReadState>;
  /** The head that adds most, with the words that it read; null where there is none, and until they are read. */
  readonly leader: Leader | null;
}

export interface Leader {
  readonly head: AttributionPart;
  /** The word that it took most from. */
  readonly word: AttributionPart;
}

/** Before the model is known there is nothing to ask. */
const AWAITED: ReadState = { status: "awaited", error: null, retry: () => undefined };
const NOTHING: readonly PartRow[] = [];

export function useParts(timeline: Timeline, model: ModelInfo | null, asked: Asked): Parts {
  const { position, target, foil, shown, open } = asked;
  const capabilities = model?.capabilities;
  const sources = capabilities?.attention.available ?? false;
  const neurons = capabilities?.neurons.available ?? false;
  const hasHeads = capabilities?.heads.available ?? false;
  const about = { position, target, foil };
  const [whole] = useAttributions(
    timeline,
    model === null ? [] : [{ ...about, unit: hasHeads ? "head" : "component" }],
  );
  const answer = whole?.data ?? null;
  const head = useMemo(() => (answer === null || !sources ? null : leadingHead(answer)), [answer, sources]);

  const opened = answer === null ? [] : openedParts(open, { sources, neurons, hasHeads });
  const leaderId = head === null ? null : headId(head.block ?? 0, head.head ?? 0);
  const wanted = [
    ...opened,
    ...(head === null || leaderId === null || opened.some(({ id }) => id === leaderId)
      ? []
      : [{ id: leaderId, unit: "source" as const, block: head.block, head: head.head }]),
  ];
  const found = useAttributions(
    timeline,
    wanted.map(({ unit, block, head: own }): AttributionQuestion => ({
      ...about,
      unit,
      block,
      ...(unit === "source" ? { head: own } : { top_k: shown }),
    })),
  );
  const answers = new Map<string, AttributionResponse>();
  for (const [i, { id }] of wanted.entries()) {
    const data = found[i]?.data;
    if (data !== null && data !== undefined) answers.set(id, data);
  }
  const word = leaderId === null ? null : largestPart(answers.get(leaderId)?.parts ?? [], "source");
  return {
    reading: whole ?? AWAITED,
    answer,
    tree: answer === null ? NOTHING : partTree(answer, answers, { sources, neurons }, shown),
    details: new Map(wanted.map(({ id }, i) => [id, found[i] ?? AWAITED])),
    leader: head === null || word === null ? null : { head, word },
  };
}

interface OpenedPart {
  readonly id: string;
  readonly unit: "source" | "neuron";
  readonly block: number | null;
  readonly head: number | null;
}

const OPENED = /^(\d+)(?:(a)|(m)|h(\d+))$/;

/** The open rows that are seen and need an answer of their own. */
function openedParts(
  open: ReadonlySet<string>,
  { sources, neurons, hasHeads }: { sources: boolean; neurons: boolean; hasHeads: boolean },
): OpenedPart[] {
  return [...open].flatMap((id): OpenedPart[] => {
    const [, number = "", attn, mlp, head] = OPENED.exec(id) ?? [];
    if (number === "" || !open.has(number)) return [];
    const block = Number(number);
    if (head !== undefined && sources && open.has(`${number}a`)) {
      return [{ id, unit: "source", block, head: Number(head) }];
    }
    if (attn !== undefined && sources && !hasHeads) {
      return [{ id, unit: "source", block, head: null }];
    }
    return mlp !== undefined && neurons ? [{ id, unit: "neuron", block, head: null }] : [];
  });
}
