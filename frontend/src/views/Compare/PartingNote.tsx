import { QuotedText } from "@/components/lens/TokenText";
import { partingOf } from "@/lib/differences";
import type { FirstChoices } from "@/lib/pairColumns";
import { layerLabel } from "@/lib/layers";
import type { Rows } from "./choices";

interface PartingNoteProps {
  readonly rows: Rows;
  /** Layers of A and of B, row by row, the embedding first. */
  readonly layers: readonly (readonly [number, number])[];
  /** Of each row; null where it is not read. */
  readonly choices: readonly (FirstChoices | null)[];
  /** The text of a token as it is, not in its cell form. */
  readonly plainText: (tokenId: number) => string;
}

/** From which layer on the two predict different tokens, or the same, in one sentence. */
export function PartingNote({ rows, layers, choices, plainText }: PartingNoteProps) {
  const parting = partingOf(choices);
  const [lastA, lastB] = layers.at(-1) ?? [0, 0];
  if (parting === null) return <p className="min-h-5 text-quiet">Not read yet.</p>;
  const { kind, from, last } = parting;
  const [a, b] = [plainText(last.aId), plainText(last.bId)];
  const atEnd =
    kind === "agree" ? (
      <>
        both predict <QuotedText text={a} />
      </>
    ) : (
      <>
        A predicts <QuotedText text={a} />, B <QuotedText text={b} />
      </>
    );
  if (rows === "one") {
    return (
      <p className="min-h-5">
        With {spoken(lastA)} of A beside {spoken(lastB)} of B, {atEnd}.
      </p>
    );
  }
  const start =
    from === 0
      ? "At every layer"
      : from === layers.length - 1
        ? "Only at the output"
        : `From layer ${layerLabel(layers[from]?.[0] ?? 0)} on`;
  const who = rows === "fixed" ? `A and ${spoken(lastB)} of B` : "the two";
  return (
    <p className="min-h-5">
      {start} {who} {kind === "agree" ? "have the same first choice" : "predict different tokens"}; at the
      output{rows === "fixed" && " of A,"} {atEnd}.
    </p>
  );
}

const spoken = (layer: number): string => (layer === 0 ? "the embedding" : `layer ${layer}`);
