import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";
import { partName } from "./partNames";
import type { PartRow } from "./parts";

interface PartNameProps {
  readonly row: PartRow;
  readonly tokens: readonly Token[];
}

/** What the row is of. */
export function PartName({ row, tokens }: PartNameProps) {
  const word = row.source === null ? undefined : tokens[row.source];
  if (word !== undefined) {
    return (
      <>
        <TokenText parts={cellParts(word)} /> <span className="text-label text-muted">{word.index}</span>
      </>
    );
  }
  return <>{partName(row)}</>;
}
