import clsx from "clsx";
import { memo } from "react";
import { tokenElementId } from "@/features/selection/tokenSelection";
import { cutAtBytes, withByteNames } from "@/model/bytes";
import type { TokenNoteMark } from "@/model/notes";
import type { Role } from "@/model/timeline";
import type { Part, Run } from "./markdown/layout";
import type { Tint } from "./tint";

interface TokenPartProps {
  readonly part: Part;
  /** Text of the whole token. */
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
 * would be as many tab stops, most of them smaller than a target may be. Where the border of a block
 * cuts a token, its first part is the option and carries the name; the rest only looks and clicks alike.
 */
export const TokenPart = memo(function TokenPart(props: TokenPartProps) {
  const { part, text, mark, role, isSpecial, isSelected, isInRange, noteMark, tint } = props;
  const { index, isFirst, runs } = part;
  const isChosen = isSelected || isInRange;
  const isWhole = runs.reduce((length, run) => length + run.text.length, 0) === text.length;
  const option = {
    id: tokenElementId(index),
    role: "option",
    "aria-selected": isChosen,
    "aria-label": spokenName(text, mark, noteMark !== undefined, isWhole),
    "data-mark": mark ?? undefined,
  } as const;
  return (
    <span
      {...(isFirst ? option : { "aria-hidden": true })}
      data-index={index}
      data-selected={isChosen || undefined}
      className={clsx(
        "token",
        role === "template" && "token-template",
        role === "system" && "text-muted",
        isSpecial && "token-special",
        tint !== null && "token-tinted",
        tint?.isMarked === true && "token-beyond",
        isInRange && "token-ranged",
        noteMark !== undefined && "token-noted",
        noteMark === "start" && isFirst && "token-noted-start",
      )}
      style={tint === null ? undefined : { backgroundColor: tint.background }}
    >
      {runs.map((run, number) => (
        // The runs of a token have no other identity than their order.
        <RunText key={number} run={run} />
      ))}
    </span>
  );
});

function RunText({ run: { text, kinds } }: { readonly run: Run }) {
  const drawn = cutAtBytes(text).map((part, number) =>
    number % 2 === 0 ? part : <span key={number} data-mark={withByteNames(part)} />,
  );
  if (kinds.length === 0) return drawn;
  return <span className={kinds.map((kind) => `md-${kind}`).join(" ")}>{drawn}</span>;
}

/** A name where the text alone does not do: for silent characters and bytes, for what is cut in two or has a note. */
function spokenName(
  text: string,
  mark: string | null,
  hasNote: boolean,
  isWhole: boolean,
): string | undefined {
  const trimmed = text.trim();
  const words = withByteNames(trimmed);
  const name = silentName(text, mark) ?? (isWhole && words === trimmed ? undefined : words);
  return hasNote ? `${name ?? words}, has a note` : name;
}

/** A name for tokens that a screen reader would pass over in silence. */
function silentName(text: string, mark: string | null): string | undefined {
  if (text.trim() !== "") return undefined;
  if (text === " ") return "space";
  const breaks = text.match(/\n/g)?.length ?? 0;
  if (breaks > 0) return breaks === 1 ? "line break" : `${breaks} line breaks`;
  return mark ?? (text === "" ? "part of a character" : `${text.length} blank characters`);
}
