import { useState } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { formatSigned } from "@/model/format";
import type { Intervention, Timeline } from "@/model/timeline";
import { type RunOutput, useRuns } from "@/reading/underInterventions";
import type { ModelInfo } from "@/types/schemas";
import { Segmented } from "@/ui/Segmented";

type Part = "block" | "attn" | "mlp" | "head";
type Kind = "off" | "zero" | "mean";

const KINDS = [
  { value: "off", label: "Off" },
  { value: "zero", label: "Zero", hint: "What it writes is set to 0 at this token" },
  {
    value: "mean",
    label: "Mean",
    hint: "What it writes is set to its mean over the tokens before the reply",
  },
] as const satisfies readonly { readonly value: Kind; readonly label: string; readonly hint?: string }[];

const PARTS = [
  { value: "block", label: "Block" },
  { value: "attn", label: "Attention" },
  { value: "mlp", label: "MLP" },
] as const;

export interface AblationProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  /** Where the logits are read. */
  readonly position: number;
  readonly block: number;
  /** Null for the block and its two halves. */
  readonly head: number | null;
  readonly targetId: number;
  /** Null where the target is compared with no token. */
  readonly foilId: number | null;
  /** What each part adds directly; null where it is not known. */
  readonly direct: Readonly<Record<Part, number | null>>;
}

const ablated = (
  part: Part,
  { block, head, position }: AblationProps,
  kind: "zero" | "mean",
): Intervention[] =>
  (part === "block" ? (["attn", "mlp"] as const) : [part]).map((site) => ({
    site,
    layers: [block],
    heads: site === "head" && head !== null ? [head] : null,
    positions: [position],
    op: { kind },
  }));

/** What the selected head or block is worth when it is taken away at this token, beside its direct part. */
export default function Ablation(props: AblationProps) {
  const { model, block, head } = props;
  const [chosen, setChosen] = useState<Exclude<Part, "head">>("block");
  const [kind, setKind] = useState<Kind>("off");
  const part: Part = head === null ? chosen : "head";
  const sites = part === "block" ? (["attn", "mlp"] as const) : [part];
  const missing = sites.map((site) => model.intervention_sites[site]).find(({ available }) => !available);
  const name = head === null ? `block ${block}` : `head ${head} of block ${block}`;
  return (
    <section aria-label={`Ablate ${name}`} className="shrink-0 border-t border-line px-3 py-1 text-label">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="text-muted">Ablate {name}</span>
        {head === null && <Segmented label="Part" value={chosen} options={PARTS} onChange={setChosen} />}
        {missing === undefined ? (
          <Segmented label="Ablation" value={kind} options={KINDS} onChange={setKind} />
        ) : (
          <span className="text-muted">
            Not on this model: {missing.reason ?? "its writes cannot be changed"}
          </span>
        )}
      </div>
      {kind !== "off" && missing === undefined && <Result {...props} part={part} kind={kind} />}
    </section>
  );
}

interface ResultProps extends AblationProps {
  readonly part: Part;
  readonly kind: "zero" | "mean";
}

function Result(props: ResultProps) {
  const { timeline, model, position, targetId, foilId, direct, part, kind } = props;
  const targets = foilId === null ? [targetId] : [targetId, foilId];
  const reading = useRuns(timeline, {
    position,
    targets,
    runs: [[], ablated(part, props, kind)],
    nLayers: model.num_layers,
  });
  const [plain, without] = (reading.data ?? []).map(logitsOf);
  const own = direct[part];
  return (
    <ReadingFrame reading={reading} what="The effects of the ablation" hasData={reading.data !== null}>
      <p role="status" className="text-muted">
        {plain === undefined || without === undefined ? (
          "Reading…"
        ) : (
          <>
            {foilId === null ? "log-probability" : "logit difference"} <Amount of={plain} /> →{" "}
            <Amount of={without} />: a change of <Amount of={without - plain} />
            {own !== null && kind === "zero" && (
              <>
                ; the bars give it <Amount of={own} /> directly, without its bias. Where the change is not{" "}
                <Amount of={-own} />, later blocks respond to what is missing
              </>
            )}
            .
          </>
        )}
      </p>
    </ReadingFrame>
  );
}

/** ln of the two probabilities' ratio: the difference of the logits. */
function logitsOf({ targets: [target, foil] }: RunOutput): number {
  const own = Math.log(target?.probability ?? Number.NaN);
  return foil === undefined ? own : own - Math.log(foil.probability);
}

function Amount({ of }: { readonly of: number }) {
  return (
    <b className="font-mono font-medium text-ink">{Number.isFinite(of) ? formatSigned(of) : "too small"}</b>
  );
}
