import { TokenText } from "@/components/lens/TokenText";
import { type NotePlace, afterToken, isRange, rangeWords } from "@/lib/notes";
import { cellParts } from "@/lib/tokens";
import type { Token } from "@/types/timeline";

interface PlaceTextProps {
  readonly place: NotePlace;
  readonly tokens: readonly Token[];
}

/** Where a note is: “·Paris, index 14, at layer 8”, or “5 tokens, 10 to 14”. */
export function PlaceText({ place, tokens }: PlaceTextProps) {
  if (isRange(place)) return rangeWords(place);
  const token = tokens[place.start];
  return (
    <>
      {token === undefined ? "a token" : <TokenText parts={cellParts(token)} className="text-ink" />}
      {afterToken(place)}
    </>
  );
}
