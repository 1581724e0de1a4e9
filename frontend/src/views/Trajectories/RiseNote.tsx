import { Finding } from "@/features/evidence/Finding";
import { formatProbability } from "@/model/format";
import { layerName } from "@/model/layers";
import type { Token } from "@/model/timeline";
import type { LayerReading } from "@/reading/lens";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import { largestRise } from "./largestRise";

interface RiseNoteProps {
  /** Layer 0 first; empty until they are read. */
  readonly layers: readonly LayerReading[];
  /** Null where no token follows yet. */
  readonly actual: Token | null;
}

/** The layer at which the actual token gains most. */
export function RiseNote({ layers, actual }: RiseNoteProps) {
  const output = layers.at(-1);
  if (output === undefined) return <Finding>The lines of this token are not read yet.</Finding>;
  if (actual === null) {
    const top = output.predictions[0];
    return (
      <Finding>
        No token follows yet
        {top !== undefined && (
          <>
            ; the output’s top-1 is <QuotedText text={top.text} />
          </>
        )}
        .
      </Finding>
    );
  }
  const rise = largestRise(layers.map((each) => each.actual?.probability ?? Number.NaN));
  return (
    <Finding>
      <QuotedToken token={actual} />{" "}
      {rise === null ? (
        "gains probability at no layer."
      ) : (
        <>
          gains most at{" "}
          <b className="font-medium text-ink">{layerName(layers[rise.layer]?.layer ?? rise.layer)}</b>:
          probability <span className="font-mono text-ink">{formatProbability(rise.from)}</span> to{" "}
          <span className="font-mono text-ink">{formatProbability(rise.to)}</span>.
        </>
      )}
    </Finding>
  );
}
