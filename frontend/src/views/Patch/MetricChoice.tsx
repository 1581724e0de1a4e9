import { LogitChoice } from "@/features/tokenSearch/LogitChoice";
import { formatSigned } from "@/model/format";
import { cellParts, cellPartsOfText } from "@/model/tokens";
import type { JobInfo, ModelInfo } from "@/types/schemas";
import { TokenText } from "@/ui/TokenText";
import type { PatchMetric, PatchTexts } from "./texts";

interface MetricChoiceProps {
  readonly texts: PatchTexts;
  /** The map of these texts, which has measured both runs. */
  readonly job: JobInfo | null;
  readonly chosen: PatchMetric;
  readonly model: ModelInfo;
  readonly onChoose: (change: Partial<PatchMetric> & { readonly job: null }) => void;
}

/** Whose logits are compared, by choice any two tokens, and what the two runs have without a patch. */
export default function MetricChoice({ texts, job, chosen, model, onChoose }: MetricChoiceProps) {
  const { answers, metric } = texts;
  const { clean, corrupt } = job?.result ?? { clean: null, corrupt: null };
  const choice = (of: "answer" | "foil", label: string, side: string, otherId: number | null) => {
    const measured = job?.result[of] ?? null;
    const own = answers?.[of];
    return (
      <LogitChoice
        label={label}
        shown={
          measured !== null ? (
            <TokenText parts={cellPartsOfText(measured.text)} />
          ) : chosen[of] !== null ? (
            `id ${chosen[of]}`
          ) : own !== undefined ? (
            <TokenText parts={cellParts(own)} />
          ) : (
            "most probable"
          )
        }
        value={chosen[of]}
        options={[
          own === undefined
            ? { value: null, label: "Most probable token", hint: `after ${side}` }
            : { value: null, label: `Token that ${side} goes on with`, hint: "in the text" },
        ]}
        onChoose={(id) => onChoose({ [of]: id, job: null })}
        modelName={model.model_name}
        otherId={otherId}
      />
    );
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5 pb-1.5 text-muted">
      <span>Logit of</span>
      {choice("answer", "Answer", "A", metric.foil)}
      <span>less</span>
      {choice("foil", "Foil", "B", metric.answer)}
      <span>
        {clean !== null && corrupt !== null
          ? `A ${formatSigned(clean)}, B ${formatSigned(corrupt)}`
          : "There is no score where A and B do not differ in it."}
      </span>
    </div>
  );
}
