import type { Timeline } from "@/model/timeline";
import { Select } from "@/ui/Select";
import { type CompareState, OTHER_KINDS, type OtherKind } from "./choices";
import { type OtherBranch, chosenBranch, otherKind } from "./comparison";
import { PromptBox } from "./PromptBox";
import { SavedSearch } from "./SavedSearch";
import type { OwnReply } from "./useReplyWriting";

interface OtherPickerProps {
  readonly timeline: Timeline;
  readonly mode: "chat" | "completion";
  readonly state: CompareState;
  readonly branches: readonly OtherBranch[];
  /** Ids of the conversation on the page, all branches: the list of the others leaves it out. */
  readonly ownId: string | null;
  readonly bos: boolean | null;
  readonly ownReply: OwnReply;
}

const KINDS: Readonly<Record<OtherKind, string>> = {
  branch: "another branch",
  saved: "another conversation",
  prompt: "another prompt",
  same: "itself",
};

/** What stands beside the conversation. */
export function OtherPicker(props: OtherPickerProps) {
  const { timeline, mode, state, branches, ownId, bos, ownReply } = props;
  const { choices, change } = state;
  const kind = otherKind(choices, branches);
  return (
    <div
      role="group"
      aria-label="What to compare with"
      className="flex flex-wrap items-start gap-x-2 gap-y-1.5 px-3 pt-2"
    >
      <Select
        label="A: this conversation. B:"
        value={kind}
        options={OTHER_KINDS.map((value) => ({ value, label: KINDS[value] }))}
        onChange={(other) => change({ other })}
        className="max-md:w-full"
      />
      {kind === "branch" && <BranchSelect state={state} branches={branches} />}
      {kind === "saved" && (
        <SavedSearch chosenId={choices.savedId} ownId={ownId} onChoose={(savedId) => change({ savedId })} />
      )}
      {kind === "prompt" && (
        <PromptBox timeline={timeline} mode={mode} state={state} bos={bos} ownReply={ownReply} />
      )}
      {kind === "same" && (
        <p className="min-w-0 flex-1 basis-60 self-end pb-1.5 text-muted">
          Choose another layer or another lens for B below.
        </p>
      )}
    </div>
  );
}

function BranchSelect({
  state: { choices, change },
  branches,
}: Pick<OtherPickerProps, "state" | "branches">) {
  const chosen = chosenBranch(choices, branches);
  if (chosen === null) {
    return (
      <p className="min-w-0 flex-1 basis-60 self-end pb-1.5 text-muted">
        This conversation has one branch only. Regenerate the reply, edit the message or continue with another
        token, and it has two.
      </p>
    );
  }
  return (
    <Select
      label="branch"
      value={chosen.id}
      options={branches.map(({ id, label }) => ({ value: id, label }))}
      onChange={(branchId) => change({ branchId })}
      className="max-w-full"
    />
  );
}
