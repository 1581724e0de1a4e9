import { useMemo } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { SteeringChoices } from "@/features/steering/choices";
import { DOSE_CONTROL_SEED, type Planned, reachOf, strengthsUpTo } from "@/features/steering/interventions";
import { formatProbability } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import type { Timeline } from "@/model/timeline";
import { useDose } from "@/reading/dose";
import { type RunOutput, useRuns } from "@/reading/underInterventions";
import { QuotedText } from "@/ui/TokenText";
import { DoseChart } from "./DoseChart";
import { StrengthField } from "./StrengthField";
import { useSteerExport } from "./useSteerExport";
import type { MeasuredRun } from "./viewExport";

interface DosePartProps {
  readonly timeline: Timeline;
  readonly planned: Planned;
  readonly position: number;
  readonly tokenId: number;
  readonly text: string | null;
  readonly nLayers: number;
  readonly strength: number;
  readonly change: (part: Partial<SteeringChoices>) => void;
}

/** The strength and what it does, before any reply is written. */
export function DosePart(props: DosePartProps) {
  const { timeline, planned, position, tokenId, text, nLayers, strength, change } = props;
  const reach = reachOf(strength);
  const strengths = useMemo(() => strengthsUpTo(reach), [reach]);
  const interventions = planned.at(1); // the strength of each point replaces it
  const reading = useDose(timeline, { position, tokenId, interventions, strengths });
  useSteerExport({
    timeline,
    position,
    tokenId,
    text,
    nLayers,
    interventions: planned.at(strength),
    controlSeeds: [DOSE_CONTROL_SEED],
    runs:
      reading.data?.flatMap((point): MeasuredRun[] => [
        { run: "change", strength: point.strength, probability: point.target },
        { run: "control", strength: point.strength, probability: point.control },
      ]) ?? null,
  });
  const target = text === null ? `id ${tokenId}` : `“${cellTextOfText(text)}”`;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <StrengthField value={strength} onChange={(value) => change({ strength: value })} />
        <AtStrength
          timeline={timeline}
          planned={planned}
          position={position}
          tokenId={tokenId}
          nLayers={nLayers}
          strength={strength}
        />
      </div>
      <ReadingFrame
        reading={reading}
        what="The probabilities over the strength"
        hasData={reading.data !== null}
      >
        <DoseChart
          points={reading.data}
          reach={reach}
          strength={strength}
          target={target}
          onChange={(value) => change({ strength: value })}
        />
      </ReadingFrame>
    </>
  );
}

type AtStrengthProps = Omit<DosePartProps, "text" | "change">;

/** The exact numbers at the chosen strength. */
function AtStrength({ timeline, planned, position, tokenId, nLayers, strength }: AtStrengthProps) {
  const runs = [planned.at(strength), planned.controlAt(strength)];
  const { data } = useRuns(timeline, { position, targets: [tokenId], runs, nLayers });
  const [steered, control] = data ?? [];
  return (
    <p role="status" className="min-h-5 text-label text-muted">
      {steered === undefined || control === undefined ? (
        "Reading…"
      ) : (
        <>
          probability <Probability of={steered} />, random direction <Probability of={control} />; top-1{" "}
          <QuotedText text={steered.top.text} />
        </>
      )}
    </p>
  );
}

function Probability({ of: { targets } }: { readonly of: RunOutput }) {
  return (
    <b className="font-mono font-medium text-ink">{formatProbability(targets[0]?.probability ?? null)}</b>
  );
}
