import { memo } from "react";
import { type Part, isSamePart } from "./markdown/layout";
import { type TokenLooks, isIn, looksSame } from "./tokenLooks";
import { TokenPart } from "./TokenPart";

interface TokenPartsProps extends TokenLooks {
  readonly parts: readonly Part[];
}

/** Parts drawn as one unit: of a reply of 1,000 tokens, a click draws the two units again that it touches. */
const CHUNK = 64;

/** Tokens that follow one another in a line of text or in a block. */
export function TokenRow({ parts, ...looks }: TokenPartsProps) {
  if (parts.length <= CHUNK) return <TokenParts parts={parts} {...looks} />;
  const starts = Array.from({ length: Math.ceil(parts.length / CHUNK) }, (_, chunk) => chunk * CHUNK);
  return starts.map((start) => (
    <TokenParts key={start} parts={parts.slice(start, start + CHUNK)} {...looks} />
  ));
}

/** Some tokens. Rendered again only when something about them changed. */
const TokenParts = memo(function TokenParts(props: TokenPartsProps) {
  const { parts, tokens, pieces, tints, selectedIndex, range, noteMarks } = props;
  return parts.map((part) => {
    const { index, isFirst } = part;
    const token = tokens[index];
    if (token === undefined) return null;
    return (
      <TokenPart
        key={isFirst ? index : `${index}-rest`}
        part={part}
        text={pieces[index]?.text ?? token.text}
        mark={pieces[index]?.mark ?? null}
        role={token.role}
        isSpecial={token.special}
        isSelected={index === selectedIndex}
        isInRange={isIn(range, index)}
        noteMark={noteMarks[index]}
        tint={tints?.[index] ?? null}
      />
    );
  });
}, isSame);

function isSame(before: TokenPartsProps, after: TokenPartsProps): boolean {
  return (
    before.parts.length === after.parts.length &&
    after.parts.every(
      (part, number) => isSamePart(before.parts[number], part) && looksSame(before, after, part.index),
    )
  );
}
