import { formatScore } from "@/model/format";
import { layerName } from "@/model/layers";
import { QuotedToken } from "@/ui/TokenText";
import { carriersOf } from "./carriers";
import type { Cell, PatchDirection } from "./choices";
import type { MapRow } from "./grid";
import type { PatchTexts } from "./texts";

interface MapFindingProps {
  readonly texts: PatchTexts;
  readonly direction: PatchDirection;
  /** Of a finished map. */
  readonly rows: readonly MapRow[];
  readonly onPatch: (cell: Cell) => void;
}

/** Neighbouring layers, the embedding among them, for which a list of layers would take two terms. */
function layerRange(layers: readonly number[]): string {
  const [first = 0, last = first] = [layers[0], layers.at(-1)];
  return first === last ? layerName(first) : `layers ${first}–${last}`;
}

/** More would be a list. */
const MOST_NAMED = 4;

/** The answer of a map in one sentence: which word's state carries the difference, at which layers. */
export default function MapFinding({ texts, direction, rows, onPatch }: MapFindingProps) {
  const carriers = carriersOf(rows);
  if (carriers.length === 0) {
    return <p>No single position carries more than half of the difference, at any layer.</p>;
  }
  const side = direction === "denoise" ? texts.a : texts.b;
  return (
    <p>
      <span className="text-muted">More than half of the difference is carried by</span>{" "}
      {carriers.slice(0, MOST_NAMED).map(({ pair, layers, best, score }, number) => {
        const [a, b] = texts.pairs[pair] ?? [];
        const token = side.tokens[(direction === "denoise" ? a : b) ?? -1];
        if (a === undefined || b === undefined || token === undefined) return null;
        return (
          <span key={layers[0]}>
            {number > 0 && ", then "}
            <button
              type="button"
              className="underline decoration-line-strong underline-offset-2 hover:decoration-accent"
              onClick={() => onPatch({ layer: best.layer, a, b })}
            >
              <QuotedToken token={token} /> at {layerRange(layers)}
            </button>{" "}
            <span className="text-muted">
              (up to {formatScore(score)} at layer {best.layer})
            </span>
          </span>
        );
      })}
      {carriers.length > MOST_NAMED ? ", and others." : "."}
    </p>
  );
}
