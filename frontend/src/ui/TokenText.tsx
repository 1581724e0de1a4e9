import clsx from "clsx";
import { type CellPart, type ShownToken, cellParts, cellPartsOfText } from "@/model/tokens";

interface TokenTextProps {
  readonly parts: readonly CellPart[];
  readonly className?: string;
}

/** A token in its cell form. Isolated, so that right-to-left text does not turn its surroundings around. */
export function TokenText({ parts, className }: TokenTextProps) {
  return (
    <bdi className={clsx("text-left font-mono whitespace-pre", className)}>
      {parts.map((part, i) => (
        <span key={i} className={part.kind === "plain" ? undefined : "opacity-75"}>
          {part.text}
        </span>
      ))}
    </bdi>
  );
}

/** A token in running prose: “·Paris”. */
export function QuotedToken({ token }: { readonly token: ShownToken }) {
  return (
    <span className="whitespace-nowrap">
      “<TokenText parts={cellParts(token)} className="font-medium text-ink" />”
    </span>
  );
}

/** A predicted token in running prose, of which only the text is known. */
export function QuotedText({ text }: { readonly text: string }) {
  return (
    <span className="whitespace-nowrap">
      “<TokenText parts={cellPartsOfText(text)} className="font-medium text-ink" />”
    </span>
  );
}
