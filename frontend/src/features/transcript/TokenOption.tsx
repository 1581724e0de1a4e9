import clsx from "clsx";
import { memo } from "react";
import { tokenElementId } from "@/features/selection/tokenSelection";
import type { TokenNoteMark } from "@/model/notes";
import type { Role } from "@/model/timeline";
import type { Tint } from "./tint";

interface TokenOptionProps {
  readonly index: number;
  /** What the token adds to the text. */
  readonly text: string;
  /** A stand-in to show where `text` leaves no visible place; never part of what is copied. */
  readonly mark: string | null;
  readonly role: Role;
  readonly isSpecial: boolean;
  readonly isSelected: boolean;
  readonly isInRange: boolean;
  readonly noteMark: TokenNoteMark | undefined;
  readonly tint: Tint | null;
}

/**
 * One token in running text: an option, not a button, because a button for each of 1,024 tokens
 * would be as many tab stops, most of them smaller than a target may be.
 */
export const TokenOption = memo(function TokenOption({
  index,
  text,
  mark,
  role,
  isSpecial,
  isSelected,
  isInRange,
  noteMark,
  tint,
}: TokenOptionProps) {
  return (
    <span
      id={tokenElementId(index)}
      role="option"
      aria-selected={isSelected || isInRange}
      aria-label={spokenName(text, mark, noteMark !== undefined)}
      data-index={index}
      data-mark={mark ?? undefined}
      className={clsx(
        "token",
        role === "template" && "token-template",
        role === "system" && "text-muted",
        isSpecial && "token-special",
        tint !== null && "token-tinted",
        tint?.isMarked === true && "token-beyond",
        isInRange && "token-ranged",
        noteMark !== undefined && "token-noted",
        noteMark === "start" && "token-noted-start",
      )}
      style={tint === null ? undefined : { backgroundColor: tint.background }}
    >
      {text}
    </span>
  );
});

/** A name where the text alone does not do: for what is passed over in silence, and for what has a note. */
function spokenName(text: string, mark: string | null, hasNote: boolean): string | undefined {
  const name = silentName(text, mark);
  return hasNote ? `${name ?? text.trim()}, has a note` : name;
}

/** A name for tokens that a screen reader would pass over in silence. */
function silentName(text: string, mark: string | null): string | undefined {
  if (text === "\n") return "line break";
  if (text.trim() !== "") return undefined;
  if (text === " ") return "space";
  return mark ?? (text === "" ? "part of a character" : `${text.length} blank characters`);
}
