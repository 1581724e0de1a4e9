import { memo } from "react";
import type { Span } from "@/base/span";
import type { TokenNoteMark } from "@/model/notes";
import type { Token } from "@/model/timeline";
import type { RunningPiece } from "@/model/tokens";
import type { Tint } from "./tint";
import { TokenOption } from "./TokenOption";

interface SegmentTokensProps {
  readonly tokens: readonly Token[];
  readonly pieces: readonly RunningPiece[];
  readonly tints: readonly (Tint | null)[] | null;
  readonly start: number;
  readonly end: number;
  readonly selectedIndex: number | null;
  readonly range: Span | null;
  readonly noteMarks: readonly (TokenNoteMark | undefined)[];
  readonly showTemplate: boolean;
}

/** Some tokens of one prompt or reply. Rendered again only when something in its own range changed. */
export const SegmentTokens = memo(function SegmentTokens(props: SegmentTokensProps) {
  const { tokens, pieces, tints, start, end, selectedIndex, range, noteMarks, showTemplate } = props;
  return tokens
    .slice(start, end)
    .map((token) =>
      token.role === "template" && !showTemplate ? null : (
        <TokenOption
          key={token.index}
          index={token.index}
          text={pieces[token.index]?.text ?? token.text}
          mark={pieces[token.index]?.mark ?? null}
          role={token.role}
          isSpecial={token.special}
          isSelected={token.index === selectedIndex}
          isInRange={isIn(range, token.index)}
          noteMark={noteMarks[token.index]}
          tint={tints?.[token.index] ?? null}
        />
      ),
    );
}, isSame);

const isIn = (range: Span | null, index: number): boolean =>
  range !== null && index >= range.start && index < range.end;

function isSame(before: SegmentTokensProps, after: SegmentTokensProps): boolean {
  if (
    before.start !== after.start ||
    before.end !== after.end ||
    before.showTemplate !== after.showTemplate
  ) {
    return false;
  }
  const isInside = (index: number | null): boolean =>
    index !== null && index >= after.start && index < after.end;
  if (
    before.selectedIndex !== after.selectedIndex &&
    (isInside(before.selectedIndex) || isInside(after.selectedIndex))
  ) {
    return false;
  }
  for (let index = after.start; index < after.end; index += 1) {
    if (before.tokens[index] !== after.tokens[index]) return false;
    if (before.pieces[index]?.text !== after.pieces[index]?.text) return false;
    if (before.tints?.[index] !== after.tints?.[index]) return false;
    if (before.noteMarks[index] !== after.noteMarks[index]) return false;
    if (isIn(before.range, index) !== isIn(after.range, index)) return false;
  }
  return true;
}
