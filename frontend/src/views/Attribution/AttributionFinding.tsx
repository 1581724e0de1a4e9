import type { ReactNode } from "react";
import { Finding } from "@/features/evidence/Finding";
import { formatSigned } from "@/model/format";
import type { Token } from "@/model/timeline";
import type { AttributionPart, AttributionResponse } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import type { Leader } from "./useParts";

interface AttributionFindingProps {
  readonly answer: AttributionResponse;
  readonly leader: Leader | null;
  readonly tokens: readonly Token[];
  readonly onShow: (head: AttributionPart) => void;
}

/** The head that adds most and the word that it read, or how far the target is ahead while that is not known. */
export function AttributionFinding({ answer, leader, tokens, onShow }: AttributionFindingProps) {
  const { target, foil, difference } = answer;
  const word = leader === null ? undefined : tokens[leader.word.source ?? -1];
  if (leader === null || word === undefined) {
    return (
      <Finding>
        <QuotedText text={target.text} /> {ahead(difference, foil?.text ?? null, answer.foil_kind)}.
      </Finding>
    );
  }
  const { head } = leader;
  return (
    <Finding
      next={
        <Button size="small" className="shrink-0" onClick={() => onShow(head)}>
          Show
        </Button>
      }
    >
      <b className="font-medium text-ink">
        Head {head.head} of block {head.block}
      </b>
      , reading <QuotedToken token={word} />, adds most of all heads to <QuotedText text={target.text} />:{" "}
      {formatSigned(head.contribution)} of {formatSigned(difference)} logits.
    </Finding>
  );
}

function ahead(difference: number, foil: string | null, kind: AttributionResponse["foil_kind"]): ReactNode {
  const logits = `${formatSigned(difference)} logits`;
  if (kind === "none") return <>has {logits}</>;
  if (foil === null) return <>is {logits} from the mean of the vocabulary</>;
  return (
    <>
      is {logits} from <QuotedText text={foil} />
    </>
  );
}
