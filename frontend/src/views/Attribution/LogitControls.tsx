import type { Token } from "@/model/timeline";
import { cellParts, cellPartsOfText } from "@/model/tokens";
import type { AttributionResponse } from "@/types/schemas";
import { Select } from "@/ui/Select";
import { TokenText } from "@/ui/TokenText";
import { type Foil, SHOWN } from "./choices";
import { LogitChoice } from "@/features/tokenSearch/LogitChoice";

interface LogitControlsProps {
  readonly answer: AttributionResponse | null;
  /** The token that follows; undefined where none does yet. */
  readonly following: Token | undefined;
  readonly modelName: string;
  readonly target: number | null;
  readonly foil: Foil;
  readonly shown: (typeof SHOWN)[number];
  readonly choose: (
    change: Partial<{ target: number | null; foil: Foil; shown: (typeof SHOWN)[number] }>,
  ) => void;
}

const FOILS = [
  { value: "best", label: "Best other token", hint: "the most probable one" },
  { value: "mean", label: "Mean", hint: "over the vocabulary" },
  { value: "none", label: "Nothing", hint: "the target’s logit alone" },
] as const;

/** Which logit is taken apart, less which other one, and into how many words and neurons. */
export function LogitControls(props: LogitControlsProps) {
  const { answer, following, modelName, target, foil, shown, choose } = props;
  const targetId = target ?? following?.id ?? answer?.target.token_id ?? null;
  const foilId = typeof foil === "number" ? foil : null;
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-1.5 text-muted">
      <span>logit of</span>
      <LogitChoice
        label="Target"
        shown={
          answer !== null ? (
            <TokenText parts={cellPartsOfText(answer.target.text)} />
          ) : target === null && following !== undefined ? (
            <TokenText parts={cellParts(following)} />
          ) : (
            (target ?? "most probable")
          )
        }
        value={target}
        options={[
          following === undefined
            ? { value: null, label: "Most probable token", hint: "none follows yet" }
            : { value: null, label: "Token that follows", hint: "in the text" },
        ]}
        onChoose={(id) => choose({ target: id })}
        modelName={modelName}
        otherId={foilId}
      />
      <span>less</span>
      <LogitChoice<Foil>
        label="Foil"
        shown={
          answer !== null && answer.foil !== null ? (
            <TokenText parts={cellPartsOfText(answer.foil.text)} />
          ) : foil === "none" ? (
            "nothing"
          ) : foil === "mean" ? (
            "mean"
          ) : foil === "best" ? (
            "best other"
          ) : (
            `id ${foil}`
          )
        }
        value={foil}
        options={FOILS}
        onChoose={(value) => choose({ foil: value })}
        modelName={modelName}
        otherId={targetId}
      />
      <Select
        label="rows"
        value={shown}
        options={SHOWN.map((value) => ({
          value,
          label: `${value}`,
          hint: `the ${value} largest words of a head, and neurons of an MLP`,
        }))}
        onChange={(value) => choose({ shown: value })}
      />
    </div>
  );
}
