import { useMemo } from "react";
import { EMPTY_TIMELINE } from "@/features/chat/chatState";
import { useLensKind } from "@/features/settings/lensKind";
import type { Colouring } from "@/features/settings/settings";
import { decisionLayer } from "@/model/decision";
import { surprisalNats } from "@/model/format";
import type { LensKind } from "@/model/lenses";
import type { Timeline, Token } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import { type TimelineLens, useTimelineLens } from "@/reading/lens";
import { type Tint, type TintMetric, tintOf, tintScale } from "./tint";

/** The colour behind each token, and how far its values are read. */
export interface Colours {
  /** By index; null without colouring. Tokens that are not read yet have none. */
  readonly tints: readonly (Tint | null)[] | null;
  /** The lens that the values are read through. */
  readonly kind: LensKind;
  /** Tokens with a value, of `total`: the first was predicted by nothing and has none. */
  readonly known: number;
  readonly total: number;
  readonly lens: Pick<TimelineLens, "status" | "error" | "retry">;
}

/**
 * Read through the lens in use, whose answers the views share. What the output alone says is the same
 * through each, so that this needs no second reading either.
 */
export function useTints(timeline: Timeline, colouring: Colouring, nLayers: number): Colours {
  const kind = useLensKind();
  const lens = useTimelineLens(colouring === "none" ? EMPTY_TIMELINE : timeline, { kind, hasHalf: false });
  const { columns, version } = lens;
  const tints = useMemo(() => {
    if (colouring === "none") return null;
    const { max } = tintScale(colouring, nLayers);
    return timeline.tokens.map((token) => {
      const value = valueOf(token, colouring, columns);
      return value === null ? null : tintOf(value, max);
    });
    // `columns` is filled in place and `version` says when.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [timeline.tokens, colouring, columns, version, nLayers]);
  return {
    tints,
    kind,
    known: tints?.filter((tint) => tint !== null).length ?? 0,
    total: Math.max(0, timeline.tokens.length - 1),
    lens,
  };
}

/** The value of a token, from the token itself or from the read-out at the place before it; null if not known. */
function valueOf(token: Token, metric: TintMetric, columns: LensColumns | null): number | null {
  if (token.index === 0) return null;
  const position = token.index - 1;
  const last = columns?.last ?? 0;
  const isRead = columns?.isRead(position) === true;
  switch (metric) {
    case "surprisal":
      if (token.logprob_nats !== null) return -token.logprob_nats;
      return isRead ? known(surprisalNats(columns.nextProbability(position, last))) : null;
    case "entropy":
      if (token.entropy_nats !== null) return token.entropy_nats;
      return isRead ? known(columns.entropyNats(position, last)) : null;
    case "decided":
      return isRead ? decidedAt(columns, position) : null;
  }
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Infinity where the output ranks another token first. */
function decidedAt(columns: LensColumns, position: number): number | null {
  const ranks = columns.layers.map((layer) => columns.nextRank(position, layer));
  if (ranks.some(Number.isNaN)) return null;
  return decisionLayer(ranks) ?? Number.POSITIVE_INFINITY;
}
