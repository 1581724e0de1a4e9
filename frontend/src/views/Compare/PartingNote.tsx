import { layerList } from "@/model/layers";
import { QuotedText } from "@/ui/TokenText";
import type { Rows } from "./choices";
import { partingOf } from "./differences";
import type { FirstChoices } from "./pairColumns";

interface PartingNoteProps {
  /** What the sentence is about, before it. */
  readonly place?: string;
  readonly rows: Rows;
  /** Layers of A and of B, row by row, the embedding first. */
  readonly layers: readonly (readonly [number, number])[];
  /** Of each row; null where it is not read. */
  readonly choices: readonly (FirstChoices | null)[];
  /** The text of a token as it is, not in its cell form. */
  readonly plainText: (tokenId: number) => string;
}

/** At exactly which layers the two predict different tokens, or the same, as at the output: in one sentence. */
export function PartingNote({ place: about, rows, layers, choices, plainText }: PartingNoteProps) {
  const parting = partingOf(choices);
  const [lastA, lastB] = layers.at(-1) ?? [0, 0];
  if (parting === null) return <p className="min-h-5 text-quiet">Not read yet.</p>;
  const { kind, from, earlier, last } = parting;
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
        <Place name={about} />
        With {spoken(lastA)} of A beside {spoken(lastB)} of B, {atEnd}.
      </p>
    );
  }
  const rowsOfA = (each: readonly number[]): number[] => each.map((row) => layers[row]?.[0] ?? 0);
  const isOnlyOutput = from > 0 && from === layers.length - 1 && earlier.length === 0;
  const start =
    from === 0
      ? "At every layer"
      : isOnlyOutput
        ? "Only at the output"
        : from === layers.length - 1
          ? "At the output"
          : `From ${layerList(rowsOfA([from]))} up to the output`;
  const also = earlier.length === 0 ? "" : `, and before that at ${layerList(rowsOfA(earlier))},`;
  const who = rows === "fixed" ? `A and ${spoken(lastB)} of B` : "the two";
  const place = isOnlyOutput ? "" : `at the output${rows === "fixed" ? " of A," : ""} `;
  return (
    <p className="min-h-5">
      <Place name={about} />
      {start}
      {also} {who} {kind === "agree" ? "have the same first choice" : "predict different tokens"}; {place}
      {atEnd}.
    </p>
  );
}

function Place({ name }: { readonly name: string | undefined }) {
  return name === undefined ? null : (
    <>
      <span className="font-medium">{name}:</span>{" "}
    </>
  );
}

const spoken = (layer: number): string => layerList([layer]);
