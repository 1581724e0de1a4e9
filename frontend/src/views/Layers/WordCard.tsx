import { ReadAt } from "@/features/evidence/ReadAt";
import { formatProbability, formatRank } from "@/model/format";
import { layerTitle } from "@/model/layers";
import type { Token } from "@/model/timeline";
import type { Cell } from "@/reading/columns";
import { QuotedText, QuotedToken } from "@/ui/TokenText";

interface WordCardProps {
  readonly tokens: readonly Token[];
  /** Of the word under the pointer, else of the selected one; null for none. */
  readonly index: number | null;
  readonly layer: number;
  /** What the layer predicts for it; null where it is not read. */
  readonly cell: Cell | null;
}

/** One word with its numbers, at a fixed place: it never jumps about under the pointer. */
export function WordCard({ tokens, index, layer, cell }: WordCardProps) {
  return (
    <section
      aria-label="Word"
      className="min-h-14 shrink-0 max-md:order-1 border-t border-line bg-raised px-3 py-2 max-md:sticky max-md:bottom-0 max-md:py-1.5"
    >
      <WordNumbers tokens={tokens} index={index} layer={layer} cell={cell} />
    </section>
  );
}

function WordNumbers({ tokens, index, layer, cell }: WordCardProps) {
  const actual = index === null ? undefined : tokens[index];
  if (index === null || actual === undefined) {
    return (
      <p className="text-muted">
        Point at a word, or select it, for its numbers; a selected word is selected in every view.
      </p>
    );
  }
  if (index === 0) {
    return (
      <p className="text-muted">
        <QuotedToken token={actual} /> is the first token: nothing came before it, so nothing predicted it.
      </p>
    );
  }
  const top = cell?.predictions[0];
  return (
    <>
      <p className="text-muted max-md:hidden">
        <ReadAt tokens={tokens} position={index - 1} />
      </p>
      {cell === null || top === undefined ? (
        <p className="text-quiet">Not read yet.</p>
      ) : (
        <p className="flex flex-wrap gap-x-4 text-muted">
          <span>
            <b className="font-medium text-ink">{layerTitle(layer)}</b>{" "}
            {top.tokenId === actual.id ? <QuotedToken token={actual} /> : <QuotedText text={top.text} />}{" "}
            probability <span className="font-mono text-ink">{formatProbability(top.probability)}</span>
          </span>
          <span>
            actual <QuotedToken token={actual} /> rank{" "}
            <span className="font-mono text-ink">{formatRank(cell.nextRank)}</span>, probability{" "}
            <span className="font-mono text-ink">{formatProbability(cell.nextProbability)}</span>
          </span>
        </p>
      )}
    </>
  );
}
