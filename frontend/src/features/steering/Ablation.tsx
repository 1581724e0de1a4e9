import { useState } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { formatSigned } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import type { Timeline } from "@/model/timeline";
import { type RunOutput, useRuns } from "@/reading/underInterventions";
import type { ModelInfo } from "@/types/schemas";
import { Segmented } from "@/ui/Segmented";
import { Select } from "@/ui/Select";
import { type AblatedPart, type AblationKind, ablated, logitsOf } from "./ablated";
import { LayerChanges } from "./LayerChanges";

const KINDS = [
  { value: "off", label: "Off" },
  { value: "zero", label: "Zero", hint: "What it writes is set to 0 at this token" },
  {
    value: "mean",
    label: "Mean",
    hint: "What it writes is set to its mean over the tokens before the reply",
  },
] as const;

const EDGE_KINDS = [
  { value: "off", label: "Off" },
  {
    value: "remove",
    label: "Remove",
    hint: "This token does not read that one: removed before the softmax, so the other weights add up to 1",
  },
] as const;

const BLOCK_PARTS = [
  { value: "block", label: "Block" },
  { value: "attn", label: "Attention" },
  { value: "mlp", label: "MLP" },
] as const;

const HEAD_PARTS = [
  { value: "head", label: "Head" },
  { value: "edge", label: "One edge", hint: "What it reads of one earlier token" },
] as const;

/** A token that the head reads. */
export interface EdgeSource {
  readonly index: number;
  /** As it is listed: `“France”, index 4`. */
  readonly name: string;
  /** What this edge adds directly; null where it is not known. */
  readonly direct: number | null;
}

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
  /** Target and foil in words, where nothing beside the panel names them. */
  readonly measured?: string;
  /** What each part adds directly; null where it is not known. */
  readonly direct: Readonly<Record<Exclude<AblatedPart, "edge">, number | null>>;
  /** Edges of the head that can be removed, the one that is offered first in front. */
  readonly edges?: readonly EdgeSource[];
}

/** What the selected head, edge or block is worth when it is taken away at this token, beside its direct part. */
export default function Ablation(props: AblationProps) {
  const { model, block, head, edges = [] } = props;
  const [ofBlock, setOfBlock] = useState<"block" | "attn" | "mlp">("block");
  const [ofHead, setOfHead] = useState<"head" | "edge">("head");
  const [kind, setKind] = useState<AblationKind | "off">("off");
  const [chosenSource, setSource] = useState<number | null>(null);
  const part: AblatedPart = head === null ? ofBlock : edges.length === 0 ? "head" : ofHead;
  const edge = edges.find(({ index }) => index === chosenSource) ?? edges[0] ?? null;
  const isEdge = part === "edge";
  const sites = isEdge
    ? (["knock_out"] as const)
    : part === "block"
      ? (["attn", "mlp"] as const)
      : ([part] as const);
  const missing = sites.map((site) => model.intervention_sites[site]).find(({ available }) => !available);
  const name = head === null ? `block ${block}` : `head ${head} of block ${block}`;
  // A part that is changed otherwise keeps the switch, not the way.
  const shownKind = kind === "off" ? "off" : isEdge ? "remove" : kind === "remove" ? "zero" : kind;
  return (
    <section aria-label={`Ablate ${name}`} className="shrink-0 border-t border-line px-3 py-1 text-label">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="text-muted">Ablate {name}</span>
        {head === null && (
          <Segmented label="Part" value={ofBlock} options={BLOCK_PARTS} onChange={setOfBlock} />
        )}
        {head !== null && edges.length > 0 && (
          <Segmented label="Part" value={ofHead} options={HEAD_PARTS} onChange={setOfHead} />
        )}
        {isEdge && edge !== null && (
          <Select
            label="Reads"
            value={edge.index}
            options={edges.map(({ index, name: label }) => ({ value: index, label }))}
            onChange={setSource}
            className="max-w-48"
          />
        )}
        {missing !== undefined ? (
          <span className="text-muted">
            Not on this model: {missing.reason ?? "its writes cannot be changed"}
          </span>
        ) : isEdge ? (
          <Segmented
            label="Ablation"
            value={shownKind === "off" ? "off" : "remove"}
            options={EDGE_KINDS}
            onChange={setKind}
          />
        ) : (
          <Segmented
            label="Ablation"
            value={shownKind === "remove" ? "off" : shownKind}
            options={KINDS}
            onChange={setKind}
          />
        )}
      </div>
      {shownKind !== "off" && missing === undefined && (
        <Result {...props} part={part} kind={shownKind} edge={isEdge ? edge : null} />
      )}
    </section>
  );
}

interface ResultProps extends AblationProps {
  readonly part: AblatedPart;
  readonly kind: AblationKind;
  readonly edge: EdgeSource | null;
}

function Result({
  timeline,
  model,
  position,
  block,
  head,
  targetId,
  foilId,
  direct,
  measured,
  part,
  kind,
  edge,
}: ResultProps) {
  const targets = foilId === null ? [targetId] : [targetId, foilId];
  const interventions = ablated({ part, kind, block, head, position, source: edge?.index ?? 0 });
  const reading = useRuns(timeline, {
    position,
    targets,
    runs: [[], interventions],
    nLayers: model.num_layers,
    isByLayer: true,
  });
  const [plainRun, ablatedRun] = reading.data ?? [];
  const what = foilId === null ? "log-probability" : "logit difference";
  const own = part === "edge" ? (edge?.direct ?? null) : direct[part];
  return (
    <ReadingFrame reading={reading} what="The effects of the ablation" hasData={reading.data !== null}>
      {plainRun === undefined || ablatedRun === undefined ? (
        <p role="status" className="text-muted">
          Reading…
        </p>
      ) : (
        <>
          <Effect
            what={measured === undefined ? what : `${what} ${measured}`}
            kind={kind}
            own={own}
            plain={plainRun}
            without={ablatedRun}
          />
          <LayerChanges what={what} plain={plainRun} without={ablatedRun} />
        </>
      )}
    </ReadingFrame>
  );
}

interface EffectProps {
  readonly what: string;
  readonly kind: AblationKind;
  /** What the part adds directly. */
  readonly own: number | null;
  readonly plain: RunOutput;
  readonly without: RunOutput;
}

function Effect({ what, kind, own, plain, without }: EffectProps) {
  const [before, after] = [logitsOf(plain.targets), logitsOf(without.targets)];
  return (
    <p role="status" className="text-muted">
      {what} <Amount of={before} /> → <Amount of={after} />: a change of <Amount of={after - before} />
      {own !== null && kind === "zero" && (
        <>
          ; directly it adds <Amount of={own} /> (without its bias). Where the change is not{" "}
          <Amount of={-own} />, later blocks respond to what is missing
        </>
      )}
      {own !== null && kind === "remove" && (
        <>
          ; directly this edge adds <Amount of={own} />, and the weight that it had goes to the other tokens
        </>
      )}
      .
      {plain.top.tokenId !== without.top.tokenId && (
        <>
          {" "}
          The model now says <b className="font-medium text-ink">{`“${cellTextOfText(without.top.text)}”`}</b>
          .
        </>
      )}
    </p>
  );
}

function Amount({ of }: { readonly of: number }) {
  return (
    <b className="font-mono font-medium text-ink">{Number.isFinite(of) ? formatSigned(of) : "too small"}</b>
  );
}
