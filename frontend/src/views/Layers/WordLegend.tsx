import { TINT_GRADIENT } from "@/features/transcript/tint";
import { formatCount } from "@/model/format";
import type { LayersChoices } from "./choices";
import type { WordCounts, WordKind } from "./layerWords";

interface WordLegendProps {
  readonly choices: LayersChoices;
  readonly counts: WordCounts;
  /** At the embedding nothing can have changed. */
  readonly canChange: boolean;
}

/** What the marks mean, each with how many words have it. */
export function WordLegend({ choices, counts, canChange }: WordLegendProps) {
  const { hasMarks, hasChanges, hasActual, hasTint } = choices;
  if (!hasMarks && !hasChanges && !hasTint) return null;
  return (
    <ul
      aria-label="What the marks mean"
      className="flex flex-wrap items-center gap-x-4 gap-y-0.5 text-cell text-muted"
    >
      {hasMarks && (
        <>
          <Mark kind="actual" meaning="stands in the text" count={counts.nActual} />
          <Mark kind="output" meaning="the output’s choice, not the text’s" count={counts.nOutput} />
          <Mark
            kind="other"
            meaning={hasActual ? "differs; below it what stands there" : "differs"}
            count={counts.nOther}
          />
        </>
      )}
      {hasChanges && canChange && (
        <Mark hasChanged meaning="changed since the layer below" count={counts.nChanged} />
      )}
      {hasTint && (
        <li className="flex items-center gap-1.5">
          probability 0
          <span
            aria-hidden="true"
            className="h-3 w-16 border border-line"
            style={{ background: TINT_GRADIENT }}
          />
          1
        </li>
      )}
    </ul>
  );
}

interface MarkProps {
  readonly kind?: WordKind;
  readonly hasChanged?: boolean;
  readonly meaning: string;
  readonly count: number;
}

function Mark({ kind, hasChanged = false, meaning, count }: MarkProps) {
  return (
    <li className="flex h-6 items-center gap-1.5">
      <span
        aria-hidden="true"
        data-kind={kind}
        data-changed={hasChanged || undefined}
        className="word text-label leading-5"
      >
        <span className="word-body">word</span>
      </span>
      <span>
        {meaning}: {formatCount(count)}
      </span>
    </li>
  );
}
