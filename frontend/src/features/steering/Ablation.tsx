import { type KeyboardEvent, Suspense, useRef, useState } from "react";
import { useChatNow } from "@/features/chat/chat";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { formatSigned } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import type { Timeline } from "@/model/timeline";
import { type RunOutput, useRuns } from "@/reading/underInterventions";
import type { ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Segmented } from "@/ui/Segmented";
import { Select } from "@/ui/Select";
import { type AblatedPart, type Replacement, ablated, logitsOf } from "./ablated";
import { LayerChanges } from "./LayerChanges";
import { SelfRepair } from "./SelfRepair";
import { useDonor } from "./useDonor";

const DonorChoice = lazyPart(() => import("./DonorChoice"));

const KINDS = [
  { value: "off", label: "Off" },
  { value: "zero", label: "Zero", hint: "What it writes is set to 0 at this token" },
  {
    value: "mean",
    label: "Mean",
    hint: "What it writes is set to its mean over the tokens before the reply",
  },
  {
    value: "resample",
    label: "Resample",
    hint: "What it writes is set to what it writes at the same place of another prompt",
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
  const { timeline, model, position, block, head, edges = [] } = props;
  const [ofBlock, setOfBlock] = useState<"block" | "attn" | "mlp">("block");
  const [ofHead, setOfHead] = useState<"head" | "edge">("head");
  const [kind, setKind] = useState<Replacement["kind"] | "off">("off");
  const [chosenSource, setSource] = useState<number | null>(null);
  const panel = useRef<HTMLElement>(null);
  const chatNow = useChatNow();
  const donor = useDonor(timeline, model, position);
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
  const by: Replacement | null =
    shownKind === "off" || missing !== undefined
      ? null
      : shownKind !== "resample"
        ? { kind: shownKind }
        : donor.donor === null || donor.donor.isSame
          ? null
          : { kind: "resample", ids: donor.donor.tokens.map(({ id }) => id) };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Escape ends a reply first, as everywhere on the page.
    if (event.key !== "Escape" || event.defaultPrevented || kind === "off" || chatNow().pending !== null)
      return;
    event.preventDefault();
    setKind("off");
    panel.current?.querySelector<HTMLElement>('[aria-label="Ablation"] [role="radio"]')?.focus(); // Off
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape undoes it from anywhere inside
    <section
      ref={panel}
      aria-label={`Ablate ${name}`}
      data-focus-home='[aria-label="Ablation"] [aria-checked="true"]'
      onKeyDown={onKeyDown}
      className="shrink-0 border-t border-line px-3 py-1 text-label"
    >
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
      {shownKind === "resample" && missing === undefined && (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <DonorChoice key={position} {...donor} />
          </Suspense>
        </ErrorBoundary>
      )}
      {by !== null && <Result {...props} part={part} by={by} edge={isEdge ? edge : null} />}
    </section>
  );
}

interface ResultProps extends AblationProps {
  readonly part: AblatedPart;
  readonly by: Replacement;
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
  by,
  edge,
}: ResultProps) {
  const targets = foilId === null ? [targetId] : [targetId, foilId];
  const interventions = ablated({ part, by, block, head, position, source: edge?.index ?? 0 });
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
            part={part}
            kind={by.kind}
            own={own}
            isDifference={foilId !== null}
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
  readonly part: AblatedPart;
  readonly kind: Replacement["kind"];
  /** What the part adds directly. */
  readonly own: number | null;
  /** Of two logits, as what the part adds is; a log-probability depends on all others, too. */
  readonly isDifference: boolean;
  readonly plain: RunOutput;
  readonly without: RunOutput;
}

function Effect({ what, part, kind, own, isDifference, plain, without }: EffectProps) {
  const [before, after] = [logitsOf(plain.targets), logitsOf(without.targets)];
  const change = after - before;
  return (
    <>
      <p role="status" className="text-muted">
        {what} <Amount of={before} /> → <Amount of={after} />: a change of <Amount of={change} />
        {own !== null && <Direct part={part} kind={kind} own={own} isDifference={isDifference} />}.
        {plain.top.tokenId !== without.top.tokenId && (
          <>
            {" "}
            The model now says{" "}
            <b className="font-medium text-ink">{`“${cellTextOfText(without.top.text)}”`}</b>.
          </>
        )}
      </p>
      {own !== null && kind === "zero" && isDifference && Number.isFinite(change) && (
        <SelfRepair expected={-own} change={change} hasBiasApart={hasBiasApart(part)} />
      )}
    </>
  );
}

/** Biases are parts of their own; of a block they are among what it adds, and a head has none. */
const hasBiasApart = (part: AblatedPart): boolean => part === "attn" || part === "mlp";

interface DirectProps extends Pick<EffectProps, "part" | "kind"> {
  readonly own: number;
  readonly isDifference: boolean;
}

/** What the part adds directly, in words. */
function Direct({ part, kind, own, isDifference }: DirectProps) {
  if (part === "edge") {
    return (
      <>
        ; directly this edge adds <Amount of={own} />, and the weight that it had goes to the other tokens
      </>
    );
  }
  return (
    <>
      ; directly it adds <Amount of={own} />
      {hasBiasApart(part) && " without its bias"}
      {kind !== "zero"
        ? ", and what replaces it also adds to the difference"
        : !isDifference && " to the sum below"}
    </>
  );
}

function Amount({ of }: { readonly of: number }) {
  return (
    <b className="font-mono font-medium text-ink">{Number.isFinite(of) ? formatSigned(of) : "too small"}</b>
  );
}
