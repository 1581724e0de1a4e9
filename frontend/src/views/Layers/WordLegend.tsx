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

/** The marks in one line, each with the number of words that have it. */
export function WordLegend({ choices, counts, canChange }: WordLegendProps) {
  const { hasMarks, hasChanges, hasActual, hasTint } = choices;
  if (!hasMarks && !hasChanges && !hasTint) return null;
  return (
    <ul aria-label="Marks" className="flex flex-wrap items-center gap-x-3 gap-y-1.5 text-label text-muted">
      {hasMarks && (
        <>
          <Mark kind="actual" meaning="actual token" count={counts.nActual} />
          <Mark kind="output" meaning="final-layer top-1" count={counts.nOutput} />
          <Mark
            kind="other"
            meaning={hasActual ? "other, actual token below" : "other"}
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
    <li className="flex h-5 items-center gap-1">
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
