import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/Select";
import { chosenBranch } from "./branchesBeside";
import { B_KINDS, type BKind } from "./pair";
import type { PairSide } from "./pairSide";
import { PromptForm } from "./PromptForm";
import { SavedSearch } from "./SavedSearch";
import type { OwnReply } from "./useOwnReply";

interface PairPickerProps {
  readonly timeline: Timeline;
  readonly mode: "chat" | "completion";
  readonly model: ModelInfo;
  readonly pair: PairSide;
  readonly ownReply: OwnReply;
  /** After B was chosen or its reply was begun. */
  readonly onChosen?: () => void;
}

const KINDS: Readonly<Record<BKind, { readonly label: string; readonly hint: string }>> = {
  prompt: { label: "a changed prompt", hint: "Your last message with other words" },
  branch: { label: "another branch", hint: "Another reply or message of this conversation" },
  saved: { label: "another conversation", hint: "Any that this model can read" },
  same: { label: "the same text", hint: "At another layer, or through another lens" },
};

/** The choice of B. */
export function PairPicker({ timeline, mode, model, pair, ownReply, onChosen }: PairPickerProps) {
  const { state, b, facts } = pair;
  const choose = (kind: BKind): void => {
    state.change({ vs: kind === "branch" || kind === "saved" ? { kind, id: null } : { kind } });
    if (kind === "same") onChosen?.();
  };
  return (
    <div role="group" aria-label="Compare with" className="flex flex-wrap items-start gap-x-3 gap-y-2">
      <Select
        label="B:"
        value={b.kind}
        options={B_KINDS.map((value) => ({ value, ...KINDS[value] }))}
        onChange={choose}
        className="max-md:w-full"
      />
      {b.kind === "branch" && <BranchSelect pair={pair} id={b.id} onChosen={onChosen} />}
      {b.kind === "saved" && (
        <SavedSearch
          chosenId={b.id}
          ownId={facts?.conversation_id ?? null}
          onChoose={(id) => {
            state.change({ vs: { kind: "saved", id } });
            onChosen?.();
          }}
        />
      )}
      {b.kind === "prompt" && (
        <PromptForm
          timeline={timeline}
          mode={mode}
          model={model}
          pair={pair}
          ownReply={ownReply}
          {...(onChosen === undefined ? {} : { onRun: onChosen })}
        />
      )}
      {b.kind === "same" && (
        <p className="min-w-0 flex-1 basis-60 self-end pb-1.5 text-muted">
          Choose the layer or the lens of B in Compare.
        </p>
      )}
    </div>
  );
}

interface BranchSelectProps {
  readonly pair: PairSide;
  readonly id: string | null;
  readonly onChosen: (() => void) | undefined;
}

function BranchSelect({ pair: { state, branches }, id, onChosen }: BranchSelectProps) {
  const chosen = chosenBranch(id, branches);
  if (chosen === null) {
    return (
      <p className="min-w-0 flex-1 basis-60 self-end pb-1.5 text-muted">
        This conversation has one branch. Regenerate the reply, edit the message or continue with another
        token to make a second one.
      </p>
    );
  }
  return (
    <div className="flex min-w-44 flex-1 items-end gap-2">
      <Select
        label="branch"
        value={chosen.id}
        options={branches.map(({ id: value, label }) => ({ value, label }))}
        onChange={(branchId) => state.change({ vs: { kind: "branch", id: branchId } })}
        className="max-w-full"
      />
      {onChosen !== undefined && (
        <Button look="primary" onClick={onChosen}>
          Compare
        </Button>
      )}
    </div>
  );
}
