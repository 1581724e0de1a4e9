import { cellTextOfText } from "@/model/tokens";
import { Icon } from "@/ui/Icon";
import { Refusable } from "@/ui/Refusable";
import { useBranching } from "./branching";

interface ContinueWithProps {
  /** Where the token would stand. */
  readonly index: number;
  readonly tokenId: number;
  readonly text: string;
}

/** Continues the conversation, as a branch, with this token in place of the one that came. */
export function ContinueWith({ index, tokenId, text }: ContinueWithProps) {
  const { branch, refusedBecause } = useBranching();
  return (
    <Refusable because={refusedBecause}>
      <button
        type="button"
        aria-label={`Continue with ${cellTextOfText(text)}`}
        title={`Put this token at index ${index} and continue from there, as a branch`}
        onClick={() => branch(index, [tokenId])}
        className="inline-grid size-6 shrink-0 place-items-center rounded-mark text-quiet transition-colors hover:bg-hover hover:text-ink aria-disabled:cursor-not-allowed aria-disabled:opacity-50"
      >
        <Icon name="branch" className="size-3.5" />
      </button>
    </Refusable>
  );
}
