import { formatSigned } from "@/model/format";
import type { Place } from "@/model/place";
import type { Token } from "@/model/timeline";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import { ExampleStep } from "./ExampleStep";
import type { LeadingHead } from "./useLeadingHead";

interface AttributionStepProps extends LeadingHead {
  /** The token that the example is about. */
  readonly token: Token;
  readonly onShow: (viewId: string, place: Place) => void;
}

/** The head that wrote the token and the word that it read. */
export function AttributionStep(props: AttributionStepProps) {
  const { block, head, answer, contribution, ofWord, word, token, onShow } = props;
  return (
    <ExampleStep
      view="Attribution"
      onShow={() =>
        onShow("attribution", { kind: "head", index: token.index, block, head, second: word.index })
      }
    >
      Of all heads,{" "}
      <b className="font-medium">
        head {head} of block {block}
      </b>{" "}
      adds most to <QuotedToken token={token} />
      {answer.foil !== null && (
        <>
          {" "}
          over <QuotedText text={answer.foil.text} />
        </>
      )}
      : {formatSigned(contribution)} of {formatSigned(answer.difference)} logits, {formatSigned(ofWord)} of it
      read from <QuotedToken token={word} /> at index {word.index}.
    </ExampleStep>
  );
}
