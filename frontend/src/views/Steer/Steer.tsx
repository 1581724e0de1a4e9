import { showView } from "@/features/evidence/showView";
import { TextView } from "@/features/evidence/TextView";
import type { ViewProps } from "@/features/evidence/view";
import { useSelection } from "@/features/selection/selection";
import { type Planned, layersOf, plan } from "@/features/steering/interventions";
import { useTokenTexts } from "@/features/steering/tokenTexts";
import { useSteering } from "@/features/steering/useSteering";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Controls } from "./Controls";
import { DosePart } from "./DosePart";
import { Effect } from "./Effect";
import { LayerPart } from "./LayerPart";
import { MeasuredAt } from "./MeasuredAt";
import { measuredIndex } from "./measured";
import { SteerFinding } from "./SteerFinding";
import { SteeredReply } from "./SteeredReply";

export { note } from "./note";

/** A direction added to the model, taken out or swapped: first what it does to a token, then a reply under it. */
export default function Steer({ timeline }: ViewProps) {
  return (
    <TextView
      timeline={timeline}
      empty="Nothing to steer yet. Send a message first; then choose a token, and see what pushing the model towards it changes."
    >
      {(model) => <Steering timeline={timeline} model={model} />}
    </TextView>
  );
}

interface SteeringProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

function Steering({ timeline, model }: SteeringProps) {
  const { index: selected } = useSelection();
  const state = useSteering(timeline);
  const { choices, change, texts } = state;
  const textOf = useTokenTexts(
    [choices.steer, choices.swap].filter((id) => id !== null),
    timeline.model,
  );
  const nLayers = model.num_layers;
  const index = measuredIndex(timeline, selected, choices.touch);
  // Without a token of its own a contrast is measured by the token that is there.
  const tokenId = choices.steer ?? (choices.by === "contrast" ? (timeline.tokens[index]?.id ?? null) : null);
  const planned = plan(choices, nLayers, texts);
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <SteerFinding timeline={timeline} choices={choices} textOf={textOf} />
      <Controls {...state} model={model} textOf={textOf} />
      {choices.how === "ablate" && (
        <p className="px-3 pb-2 text-label text-muted">
          This takes a direction out. To remove a head or what it reads of one token, select the head in{" "}
          <button type="button" className="text-accent underline" onClick={() => showView("attention")}>
            Attention
          </button>
          .
        </p>
      )}
      <LayerPart
        timeline={timeline}
        position={index - 1}
        tokenId={tokenId}
        nLayers={nLayers}
        layers={layersOf(choices, nLayers)}
        onChange={({ first, last }) => change({ from: first, to: last })}
      />
      {planned === null || tokenId === null ? (
        <p className="border-t border-line px-3 py-4 text-muted">{missing(choices)}</p>
      ) : (
        <div className="space-y-2 border-t border-line px-3 py-2">
          <MeasuredAt timeline={timeline} index={index} />
          <Measured
            timeline={timeline}
            planned={planned}
            index={index}
            tokenId={tokenId}
            text={textOf(tokenId) ?? timeline.tokens.find(({ id }) => id === tokenId)?.text ?? null}
            nLayers={nLayers}
            isDose={choices.how === "add"}
            strength={choices.strength}
            change={change}
          />
        </div>
      )}
      <SteeredReply timeline={timeline} interventions={planned?.at(choices.strength) ?? null} />
    </div>
  );
}

function missing({ how, by, steer }: ReturnType<typeof useSteering>["choices"]): string {
  if (by === "contrast")
    return "Type two texts and press Use: the difference of their last tokens is the direction.";
  if (steer === null)
    return "Choose a token: by its text here, or from the menu beside a prediction in any view.";
  return how === "swap" ? "Choose the token that it is swapped with." : "Choose a token.";
}

interface MeasuredProps {
  readonly timeline: Timeline;
  readonly planned: Planned;
  readonly index: number;
  readonly tokenId: number;
  readonly text: string | null;
  readonly nLayers: number;
  readonly isDose: boolean;
  readonly strength: number;
  readonly change: ReturnType<typeof useSteering>["change"];
}

function Measured({ isDose, index, strength, text, change, ...measured }: MeasuredProps) {
  const position = index - 1;
  return isDose ? (
    <DosePart {...measured} position={position} strength={strength} text={text} change={change} />
  ) : (
    <Effect {...measured} position={position} text={text} />
  );
}
