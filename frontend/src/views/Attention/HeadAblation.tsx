import { Suspense } from "react";
import type { Timeline, Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import { useAttributions } from "@/reading/attribution";
import type { AttributionResponse, ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { type Head, mostRead } from "./heads";
import { sourceName } from "./inWords";

const Ablation = lazyPart(() => import("@/features/steering/Ablation"));

/** More sources than these read next to nothing. */
const MAX_EDGES = 14;

interface HeadAblationProps extends Head {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  readonly position: number;
  /** What the head reads of each source. */
  readonly values: readonly number[];
  /** The source that is selected with the head. */
  readonly second: number | null;
}

/** Takes the locked head away, or one thing that it reads, and shows that beside what it adds directly. */
export function HeadAblation(props: HeadAblationProps) {
  const { timeline, model, position, block, head, values, second } = props;
  const { tokens } = timeline;
  const asked = { position, target: null, foil: "best" as const };
  const hasParts = model.capabilities.heads.available;
  const [heads, sources] = useAttributions(
    timeline,
    hasParts
      ? [
          { ...asked, unit: "head" },
          { ...asked, unit: "source", block, head },
        ]
      : [],
  );
  if (heads?.status === "loading") return null;
  const answer = heads?.data ?? null;
  // Without parts the token that follows is measured by itself.
  const targetId = answer?.target.token_id ?? tokens[position + 1]?.id;
  if (targetId === undefined) return null;
  const order = [...(second === null ? [] : [second]), ...mostRead(values).filter((each) => each !== second)];
  return (
    <ErrorBoundary>
      <Suspense fallback={null}>
        <Ablation
          timeline={timeline}
          model={model}
          position={position}
          block={block}
          head={head}
          targetId={targetId}
          foilId={answer?.foil?.token_id ?? null}
          measured={answer === null ? `of “${named(tokens[position + 1])}”` : against(answer)}
          direct={{
            block: null,
            attn: null,
            mlp: null,
            head: adds(answer, (part) => part.part === "head" && part.block === block && part.head === head),
          }}
          edges={order.slice(0, MAX_EDGES).map((source) => ({
            index: source,
            name: sourceName(tokens, source),
            direct: adds(sources?.data ?? null, (part) => part.part === "source" && part.source === source),
          }))}
        />
      </Suspense>
    </ErrorBoundary>
  );
}

const named = (token: Token | undefined): string => (token === undefined ? "" : cellText(token));

/** `of “·Paris” less that of “·Rome”`. */
const against = ({ target, foil }: AttributionResponse): string =>
  `of “${cellTextOfText(target.text)}”${foil === null ? "" : ` less that of “${cellTextOfText(foil.text)}”`}`;

type Part = AttributionResponse["parts"][number];

/** What a part adds to the difference of the logits; null where it is not known. */
const adds = (answer: AttributionResponse | null, isIt: (part: Part) => boolean): number | null =>
  answer?.parts.find(isIt)?.contribution ?? null;
