import { Button } from "@/ui/Button";
import { type Rows, type Scope, scopeName } from "./heads";
import { KINDS, valueInWords } from "./kinds";

interface ScopeHeadProps {
  readonly rows: Rows;
  readonly scope: Scope;
  /** By source. */
  readonly values: readonly number[];
  /** The scope is the one that is locked, not one under the pointer. */
  readonly isLocked: boolean;
  readonly onUnlock: () => void;
}

/** Whose reading the numbers below are, and what several heads become. */
export function ScopeHead({ rows, scope, values, isLocked, onUnlock }: ScopeHeadProps) {
  const { kind, blocks, n_heads } = rows;
  const nHeads = scope.kind === "all" ? blocks.length * n_heads : n_heads;
  const total = values.reduce((sum, value) => sum + value, 0);
  const facts = [
    ...(scope.kind === "head" ? [] : [`${KINDS[kind].together} over ${nHeads} heads`]),
    ...(kind === "logit" ? [`${valueInWords(kind, total)} in all`] : []),
  ];
  return (
    <div className="flex min-h-control-small items-center gap-x-2 px-2">
      <h3 className="font-medium whitespace-nowrap">{scopeName(scope)}</h3>
      <p className="min-w-0 truncate text-label text-muted">{facts.join(", ")}</p>
      {isLocked && (
        <Button look="quiet" size="small" className="ml-auto" onClick={onUnlock}>
          All heads
        </Button>
      )}
    </div>
  );
}
