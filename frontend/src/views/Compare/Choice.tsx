import { cellPartsOfText } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";

interface ChoiceProps {
  readonly id: number;
  readonly text: string;
}

/** A predicted token with its id: two tokens of the same looks are told apart by it. */
export function Choice({ id, text }: ChoiceProps) {
  return (
    <>
      <TokenText parts={cellPartsOfText(text)} /> <span className="text-muted">{id}</span>
    </>
  );
}
