import { type NotePlace, afterToken, isRange, rangeText, rangeWords } from "@/model/notes";
import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";

interface PlaceTextProps {
  readonly place: NotePlace;
  readonly tokens: readonly Token[];
}

/** Where a note is: “·Paris, index 14, at layer 8”, or “5 tokens, 10 to 14: ·the·city·of·light”. */
export function PlaceText({ place, tokens }: PlaceTextProps) {
  if (isRange(place)) {
    const text = rangeText(place, tokens);
    return (
      <>
        {rangeWords(place)}
        {text !== "" && (
          <>
            : <bdi className="font-mono text-ink">{text}</bdi>
          </>
        )}
      </>
    );
  }
  const token = tokens[place.start];
  return (
    <>
      {token === undefined ? "a token" : <TokenText parts={cellParts(token)} className="text-ink" />}
      {afterToken(place)}
    </>
  );
}
