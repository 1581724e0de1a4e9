import { Finding } from "@/features/evidence/Finding";
import type { Token } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { QuotedToken } from "@/ui/TokenText";
import { type Head, type Rows, type Scope, isSameScope, outstanding } from "./heads";
import { logitName, valueInWords } from "./kinds";

interface AttentionFindingProps {
  readonly rows: Rows;
  readonly tokens: readonly Token[];
  readonly locked: Scope;
  readonly onLock: (head: Head) => void;
}

/** The head and the earlier word that stand out, with the way to them. */
export function AttentionFinding({ rows, tokens, locked, onLock }: AttentionFindingProps) {
  const found = outstanding(rows);
  const source = found === null ? undefined : tokens[found.source];
  if (found === null || source === undefined) {
    return (
      <Finding>
        {rows.kind === "readBy"
          ? "No token after this one reads it."
          : "No head reads an earlier token other than the first one."}
      </Finding>
    );
  }
  const { block, head, value } = found;
  const isLocked = isSameScope(locked, { kind: "head", block, head });
  const name = (
    <b className="font-medium text-ink">
      block {block}, head {head}
    </b>
  );
  const amount = <span className="font-mono text-ink">{valueInWords(rows.kind, value)}</span>;
  const word = (
    <>
      <QuotedToken token={source} /> (index {found.source})
    </>
  );
  return (
    <Finding
      next={
        !isLocked && (
          <Button look="quiet" size="small" onClick={() => onLock({ block, head })}>
            Show this head
          </Button>
        )
      }
    >
      {rows.kind === "readBy" ? (
        <>
          {word} reads it most, with {amount} of its attention in {name}.
        </>
      ) : rows.kind === "logit" ? (
        <>
          {word} adds {amount} to {logitName(rows)} through {name}, the most of one head.
        </>
      ) : (
        <>
          {rows.kind === "norm" ? "Writes most: " : "Most read by one head: "}
          {word}, {amount} in {name}.
        </>
      )}
    </Finding>
  );
}
