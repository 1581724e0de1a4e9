import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { Planned } from "@/features/steering/interventions";
import { formatProbability, formatRank } from "@/model/format";
import type { Timeline } from "@/model/timeline";
import { type RunOutput, useRuns } from "@/reading/underInterventions";
import { QuotedText } from "@/ui/TokenText";
import { useSteerExport } from "./useSteerExport";

interface EffectProps {
  readonly timeline: Timeline;
  readonly planned: Planned;
  readonly position: number;
  readonly tokenId: number;
  readonly text: string | null;
  readonly nLayers: number;
}

const RUNS = ["plain", "change", "control"] as const;
const ROWS = ["plain model", "with the change", "with random directions"] as const;

/** What an ablation or a swap does to the measured token, beside the plain model and the control. */
export function Effect({ timeline, planned, position, tokenId, text, nLayers }: EffectProps) {
  const interventions = planned.at(1);
  const runs = [[], interventions, planned.controlAt(1)];
  const reading = useRuns(timeline, { position, targets: [tokenId], runs, nLayers });
  useSteerExport({
    timeline,
    position,
    tokenId,
    text,
    nLayers,
    interventions,
    controlSeeds: planned.controlSeeds,
    runs:
      reading.data?.map(({ targets }, i) => ({
        run: RUNS[i] ?? "plain",
        strength: null,
        probability: targets[0]?.probability ?? Number.NaN,
      })) ?? null,
  });
  return (
    <ReadingFrame reading={reading} what="The effects" hasData={reading.data !== null}>
      <table aria-busy={reading.data === null} className="w-full text-left text-label">
        <thead className="text-cell text-quiet">
          <tr>
            <th className="font-normal">run</th>
            <th className="text-right font-normal">probability</th>
            <th className="text-right font-normal">rank</th>
            <th className="pl-4 font-normal">top-1</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map((name, row) => (
            <EffectRow key={name} name={name} output={reading.data?.[row] ?? null} />
          ))}
        </tbody>
      </table>
    </ReadingFrame>
  );
}

function EffectRow({ name, output }: { readonly name: string; readonly output: RunOutput | null }) {
  const score = output?.targets[0];
  return (
    <tr className="h-7 border-t border-line">
      <th scope="row" className="font-normal text-muted">
        {name}
      </th>
      <td className="text-right font-mono">{score !== undefined && formatProbability(score.probability)}</td>
      <td className="text-right font-mono">{score !== undefined && formatRank(score.rank)}</td>
      <td className="truncate pl-4">
        {output !== null && (
          <>
            <QuotedText text={output.top.text} />{" "}
            <span className="font-mono text-muted">{formatProbability(output.top.probability)}</span>
          </>
        )}
      </td>
    </tr>
  );
}
