import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";
import type { AlignedColumn } from "@/features/pair/alignment";

interface PairPlaceProps {
  readonly column: AlignedColumn;
  readonly a: readonly Token[];
  readonly b: readonly Token[];
}

/** The tokens that stand beside each other, A over B, each with its index and its id. */
export function PairPlace({ column, a, b }: PairPlaceProps) {
  return (
    <>
      <SideToken name="A" index={column.a} tokens={a} />
      <br />
      <SideToken name="B" index={column.b} tokens={b} />
    </>
  );
}

interface SideTokenProps {
  readonly name: "A" | "B";
  readonly index: number | null;
  readonly tokens: readonly Token[];
}

function SideToken({ name, index, tokens }: SideTokenProps) {
  const token = index === null ? undefined : tokens[index];
  return (
    <span className="whitespace-nowrap">
      <span className="text-muted">{name} </span>
      {token === undefined ? (
        <span className="text-muted">unaligned</span>
      ) : (
        <>
          <span className="font-mono">{token.index}</span>{" "}
          <TokenText parts={cellParts(token)} className="font-mono" />{" "}
          <span className="text-muted">id {token.id}</span>
        </>
      )}
    </span>
  );
}
