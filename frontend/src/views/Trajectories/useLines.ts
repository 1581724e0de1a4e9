/** Which lines the chart has, and what was read of them. */
import type { Direction } from "@/features/evidence/direction";
import { type Pin, type PinnedToken, isPinned } from "@/features/pins/pins";
import { usePins } from "@/features/pins/pinsContext";
import { useLensInUse } from "@/features/settings/lensKind";
import type { Timeline, Token } from "@/model/timeline";
import { losslessTextOf } from "@/model/tokens";
import { type LayerReading, useTokenLens } from "@/reading/lens";
import type { Curve } from "./curveMetrics";
import { OWN_SLOT, type PairLines, usePairLines } from "./pairLines";
import { type Series, type ShownPosition, actualSeries, seriesOf } from "./series";
import { streamedCurve } from "./streamedCurve";
import { type Trajectories, useTrajectories } from "./trajectories";

/** The actual token and its strongest rivals at the output. */
const N_SUGGESTED = 5;

interface Wanted {
  readonly timeline: Timeline;
  readonly index: number;
  readonly direction: Direction;
  /** The actual token is to have a line also where no pin has it. */
  readonly hasActual: boolean;
  /** A token that is looked at. */
  readonly preview: PinnedToken | null;
}

export interface Lines extends Pick<Trajectories, "status" | "error" | "cancel" | "retry"> {
  /** The line of the actual token first, where it is not that of a pin. */
  readonly series: readonly Series[];
  /** Where they are read, the selected position first. */
  readonly positions: readonly [ShownPosition, ...ShownPosition[]];
  /** The other suggested tokens while something is pinned. */
  readonly rivals: readonly { readonly token: PinnedToken; readonly curve: Curve | null }[];
  /** The read-outs at the selected position, layer 0 first; empty until they are there. */
  readonly layers: readonly LayerReading[];
  /** The actual next token at the selected position; null at the end. */
  readonly actual: Token | null;
  /** What may be worth following; it is what the lines are of while nothing is pinned. */
  readonly suggested: readonly PinnedToken[];
  /** The actual token leads them. */
  readonly suggestsActual: boolean;
  readonly isDefault: boolean;
  /** The token that is looked at, where no line is its own; its curve is null until it is read. */
  readonly ghost: { readonly token: PinnedToken; readonly curve: Curve | null } | null;
  /** Lines are being read, not only what to suggest. */
  readonly isReading: boolean;
  /** The lines of B; null while no pair is set. */
  readonly pair: PairLines | null;
}

export function useLines({ timeline, index, direction, hasActual, preview }: Wanted): Lines {
  const position = direction === "predictedBy" ? index - 1 : index;
  const { state, pins: pinned } = usePins();
  const lensShown = useLensInUse();
  const lens = useTokenLens(timeline, index, N_SUGGESTED, lensShown);
  const actual = timeline.tokens[position + 1] ?? null;
  const output = (lens[direction]?.layers.at(-1)?.predictions ?? []).map(({ token_id, text }) => ({
    id: token_id,
    text,
  }));

  const isDefault = pinned.length === 0;
  const first = output.length > 0 && (hasActual || !isDefault) ? actual : null;
  const suggested: readonly PinnedToken[] = (
    first === null
      ? output
      : [{ id: first.id, text: losslessTextOf(first) }, ...output.filter(({ id }) => id !== first.id)]
  ).slice(0, N_SUGGESTED);
  // Each has the colour that it keeps when all of them are pinned.
  const followed: readonly Pin[] = isDefault
    ? suggested.map((token, slot) => ({ slot, tokens: [token] }))
    : pinned;
  const isOwn = ({ tokens }: Pin): boolean => tokens.length === 1 && tokens[0]?.id === actual?.id;
  // Nothing can be asked for before it is known what to suggest.
  const isWaiting = followed.length === 0;
  const ownLine = hasActual && !isWaiting && (isDefault || !followed.some(isOwn)) ? actual : null;
  const pins = isDefault && ownLine !== null ? followed.filter((pin) => !isOwn(pin)) : followed;

  const selected: ShownPosition = { slot: 0, position };
  const positions: Lines["positions"] = [
    selected,
    ...state.positions.filter((each) => each.position !== position && each.position < timeline.tokens.length),
  ];
  const hasLine = (id: number): boolean => id === ownLine?.id || pins.some((pin) => isPinned([pin], id));
  const rivals = isDefault ? [] : suggested.filter(({ id }) => !hasLine(id));
  const ghost = preview === null || hasLine(preview.id) ? null : preview;

  const trajectories = useTrajectories(
    timeline,
    [
      ...(ownLine === null ? [] : [{ tokenId: ownLine.id, position }]),
      ...positions.flatMap((place) =>
        pins.flatMap((pin) => pin.tokens.map((token) => ({ tokenId: token.id, position: place.position }))),
      ),
      ...rivals.map(({ id }) => ({ tokenId: id, position })),
      ...(ghost === null ? [] : [{ tokenId: ghost.id, position }]),
    ],
    lensShown,
  );
  const ownPin: readonly Pin[] =
    ownLine === null ? [] : [{ slot: OWN_SLOT, tokens: [{ id: ownLine.id, text: losslessTextOf(ownLine) }] }];
  const pair = usePairLines(timeline, position, [...ownPin, ...pins], lensShown);
  const layers = lens[direction]?.layers ?? [];
  // Tokens of a sum wait: where one of them is not known, neither is the sum.
  const inSums = new Set(pins.flatMap(({ tokens }) => (tokens.length > 1 ? tokens.map(({ id }) => id) : [])));
  const curveOf = (tokenId: number, place: number): Curve | null =>
    trajectories.curveOf(tokenId, place) ??
    (place !== position || inSums.has(tokenId)
      ? null
      : streamedCurve(
          layers,
          { id: tokenId, text: output.find(({ id }) => id === tokenId)?.text ?? null },
          tokenId === actual?.id,
        ));
  const source = isWaiting ? lens : trajectories;
  return {
    series: [
      ...(ownLine === null ? [] : [actualSeries(ownLine, selected, curveOf)]),
      ...seriesOf(pins, positions, timeline.tokens, curveOf),
    ],
    positions,
    rivals: rivals.map((token) => ({ token, curve: curveOf(token.id, position) })),
    layers,
    actual,
    suggested,
    suggestsActual: first !== null,
    isDefault,
    ghost: ghost === null ? null : { token: ghost, curve: trajectories.curveOf(ghost.id, position) },
    status: source.status,
    error: source.error,
    retry: source.retry,
    cancel: trajectories.cancel,
    isReading: trajectories.status === "loading",
    pair,
  };
}
