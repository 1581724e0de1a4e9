import { ContinueWith } from "@/features/branches/ContinueWith";
import { LensFailure } from "@/features/evidence/LensFailure";
import { PredictionBars } from "@/features/evidence/PredictionBars";
import { ReadAt } from "@/features/evidence/ReadAt";
import { PinToggle } from "@/features/pins/PinToggle";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerLabel } from "@/model/layers";
import { type LensKind, lensTitle } from "@/model/lenses";
import type { AlignedColumn } from "@/features/pair/alignment";
import type { Compared, Difference } from "./differences";
import { type Pair, pairOf } from "./pairColumns";
import { type ReadSide, usePlaceReading } from "./placeReading";

export interface ShownSide extends ReadSide {
  readonly kind: LensKind;
  readonly hasHalf: boolean;
}

interface PairDetailProps {
  readonly column: AlignedColumn | null;
  readonly row: number;
  /** Layers of A and of B, row by row, the embedding first. */
  readonly layers: readonly (readonly [number, number])[];
  readonly compared: Compared;
  readonly difference: Difference;
  readonly isSettled: boolean;
  readonly a: ShownSide;
  readonly b: ShownSide;
}

/** Both predictions of one pair at one row in full, below the grid. */
export function PairDetail(props: PairDetailProps) {
  const { column, row, layers, compared, difference, isSettled, a, b } = props;
  const pair = column === null ? null : pairOf(column);
  const [layerA, layerB] = layers[row] ?? [0, 0];
  return (
    <section aria-label="Pair" className="shrink-0 border-t border-line px-3 py-2">
      <div className="grid gap-x-6 gap-y-3 pt-1 @min-[40rem]:grid-cols-2">
        <Side
          name="A"
          side={a}
          position={column?.a ?? null}
          layer={layerA}
          isSettled={isSettled}
          hasLens={a.kind !== b.kind}
          canContinue
        />
        <Side
          name="B"
          side={b}
          position={column?.b ?? null}
          layer={layerB}
          isSettled={isSettled}
          hasLens={a.kind !== b.kind}
          canContinue={false}
        />
      </div>
      {pair !== null && <Measures pair={pair} row={row} compared={compared} difference={difference} />}
    </section>
  );
}

interface SideProps {
  readonly name: "A" | "B";
  readonly side: ShownSide;
  /** Null where the token of the other side is unaligned. */
  readonly position: number | null;
  readonly layer: number;
  readonly isSettled: boolean;
  readonly hasLens: boolean;
  /** The conversation on the page can go on with another token. */
  readonly canContinue: boolean;
}

function Side({ name, side, position, layer, isSettled, hasLens, canContinue }: SideProps) {
  const reading = usePlaceReading(side, side, position, isSettled);
  const at = reading.layers?.find((each) => each.layer === layer) ?? null;
  const next = position === null ? null : (side.tokens[position + 1] ?? null);
  const lens = lensTitle(side.kind);
  return (
    <section aria-label={`Predictions of ${name}`} className="min-w-0">
      <h3 className="min-h-10 text-muted">
        <b className="font-medium text-ink">
          {name}, layer {layerLabel(layer)}
          {hasLens && `, ${lens} lens`}
        </b>{" "}
        {position === null ? "unaligned" : <ReadAt tokens={side.tokens} position={position} />}
      </h3>
      {reading.error !== null && (
        <LensFailure
          title={`${name} could not be read here.`}
          error={reading.error}
          onRetry={reading.retry}
        />
      )}
      <div className="min-h-32 pt-1">
        {position !== null && at === null && reading.error === null && (
          <p className="text-quiet">{isSettled ? "Reading…" : "Available when generation finishes."}</p>
        )}
        {at !== null && position !== null && (
          <PredictionBars
            predictions={at.predictions}
            actualId={next?.id ?? null}
            actions={({ tokenId, text }) => (
              <>
                {canContinue && tokenId !== next?.id && (
                  <ContinueWith index={position + 1} tokenId={tokenId} text={text} />
                )}
                <PinToggle tokenId={tokenId} text={text} />
              </>
            )}
          />
        )}
      </div>
      <p className="text-label text-muted">
        entropy <span className="font-mono text-ink">{formatNats(at?.entropyNats ?? null)}</span> nats
      </p>
    </section>
  );
}

interface MeasuresProps {
  readonly pair: Pair;
  readonly row: number;
  readonly compared: Compared;
  readonly difference: Difference;
}

/** What is measured of both together. */
function Measures({ pair, row, compared, difference }: MeasuresProps) {
  const { pairs, target } = compared;
  const place = target?.target(pair, row) ?? null;
  const measures: readonly (readonly [string, string])[] = [
    ["Jensen–Shannon, nats", formatNats(pairs.jsNats(pair, row))],
    ["KL(A ‖ B), nats", formatNats(pairs.klAToBNats(pair, row))],
    ["KL(B ‖ A), nats", formatNats(pairs.klBToANats(pair, row))],
    ...(place === null
      ? []
      : ([
          ["token in A", `${formatProbability(place.aProbability)}, rank ${formatRank(place.aRank)}`],
          ["token in B", `${formatProbability(place.bProbability)}, rank ${formatRank(place.bRank)}`],
          ["B minus A", difference.format(place.bProbability - place.aProbability)],
        ] as const)),
  ];
  return (
    <dl aria-label="Measures" className="flex flex-wrap gap-x-6 gap-y-1 pt-2 text-label">
      {measures.map(([name, value]) => (
        <div key={name} className="flex gap-2">
          <dt className="text-muted">{name}</dt>
          <dd className="font-mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
