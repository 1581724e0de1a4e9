import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";

interface ReadPlaceProps {
  readonly tokens: readonly Token[];
  readonly position: number;
}

/** The token that is read, and the one that it predicts. */
export function ReadPlace({ tokens, position }: ReadPlaceProps) {
  const [token, next] = [tokens[position], tokens[position + 1]];
  return (
    <>
      <span className="font-mono">{position}</span>{" "}
      {token !== undefined && <TokenText parts={cellParts(token)} className="font-mono" />}
      <br />
      <span className="text-muted">→ </span>
      {next === undefined ? (
        <span className="text-muted">none yet</span>
      ) : (
        <TokenText parts={cellParts(next)} className="font-mono" />
      )}
    </>
  );
}
