import type { Token } from "@/model/timeline";
import { QuotedToken } from "@/ui/TokenText";

interface ReadAtProps {
  readonly tokens: readonly Token[];
  /** Where the residual stream was read. */
  readonly position: number;
}

/** Where a prediction was read and what it predicts: always two places, one index apart. */
export function ReadAt({ tokens, position }: ReadAtProps) {
  const read = tokens[position];
  const next = tokens[position + 1];
  return (
    <>
      read at index {position} {read !== undefined && <QuotedToken token={read} />}{" "}
      <span aria-hidden="true">→</span> predicts index {position + 1}{" "}
      {next === undefined ? "(nothing there yet)" : <QuotedToken token={next} />}
    </>
  );
}
