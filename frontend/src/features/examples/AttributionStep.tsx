import { useServer } from "@/features/server/server";
import { formatSigned } from "@/model/format";
import type { Place } from "@/model/place";
import type { Timeline, Token } from "@/model/timeline";
import { largestPart, leadingHead, useAttributions } from "@/reading/attribution";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import { ExampleStep } from "./ExampleStep";

interface AttributionStepProps {
  readonly timeline: Timeline;
  /** The token that the example is about. */
  readonly token: Token;
  readonly onShow: (viewId: string, place: Place) => void;
}

/** The head that wrote the token and the word that it read, found on the running model; nothing until it is found. */
export function AttributionStep({ timeline, token, onShow }: AttributionStepProps) {
  const { model } = useServer();
  const about = { position: token.index - 1, target: null, foil: "best" } as const;
  const canAsk =
    model !== null &&
    (["sublayers", "heads", "attention"] as const).every((name) => model.capabilities[name].available);
  const [whole] = useAttributions(timeline, canAsk ? [{ ...about, unit: "head" }] : []);
  const answer = whole?.data ?? null;
  const found = answer === null ? null : leadingHead(answer);
  const [words] = useAttributions(
    timeline,
    found === null ? [] : [{ ...about, unit: "source", block: found.block, head: found.head }],
  );
  const read = largestPart(words?.data?.parts ?? [], "source");
  const word = timeline.tokens[read?.source ?? -1];
  if (answer === null || found === null || read === null || word === undefined) return null;
  const { block, head } = found;
  if (block === null || head === null) return null;
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
      : {formatSigned(found.contribution)} of {formatSigned(answer.difference)} logits,{" "}
      {formatSigned(read.contribution)} of it read from <QuotedToken token={word} /> at index {word.index}.
    </ExampleStep>
  );
}
