import type { ReactNode } from "react";
import type { Change, DirectionKind, SteeringChoices, Touched } from "@/features/steering/choices";
import type { SteeringState } from "@/features/steering/useSteering";
import { TokenSearch } from "@/features/tokenSearch/TokenSearch";
import { cellPartsOfText } from "@/model/tokens";
import type { ModelInfo } from "@/types/schemas";
import { Segmented } from "@/ui/Segmented";
import { Select } from "@/ui/Select";
import { TokenText } from "@/ui/TokenText";
import { ContrastFields } from "./ContrastFields";

const CHANGES = [
  { value: "add", label: "Steer", hint: "Adds the direction; a negative strength pushes away from it" },
  { value: "ablate", label: "Ablate", hint: "Projects the direction out, so that nothing is left of it" },
  { value: "swap", label: "Swap", hint: "Exchanges what there is of two directions" },
] as const satisfies readonly { readonly value: Change; readonly label: string; readonly hint: string }[];

const DIRECTIONS: Readonly<Record<DirectionKind, { readonly label: string; readonly hint: string }>> = {
  token: { label: "unembedding", hint: "The direction that raises the token’s logit at the output" },
  lens: { label: "Jacobian lens", hint: "The direction that raises the token’s logit from that layer on" },
  contrast: { label: "two texts", hint: "What the last token of one text has more than that of another" },
};

const TOUCHED: readonly { readonly value: Touched; readonly label: string; readonly hint: string }[] = [
  { value: "reply", label: "Reply", hint: "The positions that choose the reply’s tokens" },
  { value: "prompt", label: "Prompt", hint: "The content of the messages, never the template" },
  { value: "all", label: "Both", hint: "Content of the messages and the reply" },
];

interface ControlsProps extends SteeringState {
  readonly model: ModelInfo;
  readonly textOf: (tokenId: number) => string | null;
}

/** What is done, with which direction, and to which tokens. */
export function Controls({ choices, change, texts, writeTexts, model, textOf }: ControlsProps) {
  const { how, steer, swap, by, touch } = choices;
  const hasLens = model.lenses.some(({ kind }) => kind === "jacobian");
  const kinds = (["token", "lens", "contrast"] as const).filter(
    (kind) => (kind !== "lens" || hasLens) && (kind !== "contrast" || how !== "swap"),
  );
  return (
    <div className="space-y-2 border-b border-line px-3 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Segmented
          label="Change"
          value={how}
          options={CHANGES}
          onChange={(next) =>
            change({ how: next, ...(next === "swap" && by === "contrast" ? { by: "token" } : {}) })
          }
        />
        <Select
          label="direction"
          value={by}
          options={kinds.map((value) => ({ value, ...DIRECTIONS[value] }))}
          onChange={(value) => change({ by: value })}
        />
        <span className="flex items-center gap-2">
          <span className="text-label text-muted">touches</span>
          <Segmented
            label="Touches"
            value={touch}
            options={TOUCHED}
            onChange={(value) => change({ touch: value })}
          />
        </span>
      </div>
      {by === "contrast" && <ContrastFields texts={texts} onChange={writeTexts} />}
      <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
        <TokenField
          name={by === "contrast" ? "Measured token" : "Token"}
          tokenId={steer}
          textOf={textOf}
          modelName={model.model_name}
          onChoose={(id) => change({ steer: id })}
        />
        {how === "swap" && (
          <TokenField
            name="With"
            tokenId={swap}
            textOf={textOf}
            modelName={model.model_name}
            taken={steer}
            onChoose={(id) => change({ swap: id })}
          />
        )}
      </div>
    </div>
  );
}

interface TokenFieldProps {
  readonly name: string;
  readonly tokenId: SteeringChoices["steer"];
  readonly textOf: (tokenId: number) => string | null;
  readonly modelName: string;
  /** The other token of a swap. */
  readonly taken?: number | null;
  readonly onChoose: (tokenId: number) => void;
}

/** The chosen token, and the search for another. */
function TokenField({
  name,
  tokenId,
  textOf,
  modelName,
  taken = null,
  onChoose,
}: TokenFieldProps): ReactNode {
  const text = tokenId === null ? null : textOf(tokenId);
  return (
    <div className="flex min-w-0 flex-1 items-end gap-2">
      <p className="flex h-control min-w-20 items-center gap-1.5 truncate text-muted">
        {name}
        {tokenId === null ? (
          <span className="text-quiet">none</span>
        ) : text === null ? (
          <span className="font-mono">id {tokenId}</span>
        ) : (
          <TokenText
            parts={cellPartsOfText(text)}
            className="truncate rounded-mark bg-accent-soft px-1 font-medium text-ink"
          />
        )}
      </p>
      <TokenSearch
        modelName={modelName}
        label={tokenId === null ? `${name}: search` : `${name}: choose another`}
        verb="chooses"
        isSingle
        isTaken={(id) => id === tokenId || id === taken}
        takenAs="chosen"
        isFull={false}
        onChoose={({ id }) => onChoose(id)}
        className="max-w-72"
      />
    </div>
  );
}
