import { layerList } from "@/model/layers";
import { QuotedText } from "@/ui/TokenText";
import type { Rows } from "./choices";
import { type Parting, partingOf } from "./differences";
import type { FirstChoices, Pair } from "./pairColumns";

interface PartingNoteProps {
  /** Where the two are read; the tokens that they predict follow. */
  readonly pair: Pair;
  readonly rows: Rows;
  /** Layers of A and of B, row by row, the embedding first. */
  readonly layers: readonly (readonly [number, number])[];
  /** Of each row; null where it is not read. */
  readonly choices: readonly (FirstChoices | null)[];
  /** The text of a token as it is, not in its cell form. */
  readonly plainText: (tokenId: number) => string;
}

/** The finding in one sentence: the top-1 predictions of both sides, and at exactly which layers they differ or agree. */
export function PartingNote({ pair, rows, layers, choices, plainText }: PartingNoteProps) {
  const parting = partingOf(choices);
  const [lastA, lastB] = layers.at(-1) ?? [0, 0];
  if (parting === null) return <p className="min-h-5 text-quiet">Not read yet.</p>;
  const { kind, last } = parting;
  const [a, b] = [plainText(last.aId), plainText(last.bId)];
  // The output of A is beside a layer of B that was chosen, or both layers were.
  const [nameA, nameB] =
    rows === "one"
      ? [`${spoken(lastA)} of A`, `${spoken(lastB)} of B`]
      : rows === "fixed"
        ? ["the output of A", `${spoken(lastB)} of B`]
        : ["A", "B"];
  const { a: atA, b: atB } = pair;
  const place = atA === atB ? `At index ${atA + 1}` : `At index ${atA + 1} of A and ${atB + 1} of B`;
  return (
    <p className="min-h-5">
      <span className="text-muted">{place}</span>{" "}
      {kind === "agree" ? (
        <>
          {rows === "each" ? "both predict" : `${nameA} and ${nameB} both predict`} <QuotedText text={a} />
        </>
      ) : (
        <>
          {nameA} predicts <QuotedText text={a} />, {nameB} <QuotedText text={b} />
        </>
      )}
      {rows === "one" ? "" : `; they ${kind === "agree" ? "agree" : "differ"} ${where(parting, layers)}`}.
    </p>
  );
}

/** The layers of A at which it is as at the output. */
function where({ from, earlier }: Parting, layers: PartingNoteProps["layers"]): string {
  const layersOfA = (each: readonly number[]): string => layerList(each.map((row) => layers[row]?.[0] ?? 0));
  if (from === 0) return "at every layer";
  const also = earlier.length === 0 ? "" : `, and at ${layersOfA(earlier)}`;
  if (from < layers.length - 1) return `from ${layersOfA([from])} on${also}`;
  return also === "" ? "only at the output" : `at the output${also}`;
}

const spoken = (layer: number): string => layerList([layer]);
