import { LensFailure } from "@/features/evidence/LensFailure";
import { formatCount } from "@/model/format";
import { lensTitle } from "@/model/lenses";
import { TINT_GRADIENT, type TintMetric, tintScale } from "./tint";
import type { Colours } from "./useTints";

interface TintLegendProps {
  readonly metric: TintMetric;
  readonly nLayers: number;
  readonly colours: Colours;
  /** The model is busy with a reply: what is missing is read afterwards. */
  readonly isBusy: boolean;
  /** A bar stands beside the user's text. */
  readonly hasOwnBar: boolean;
}

/** What the colour behind the text means, and how many tokens have theirs. */
export default function TintLegend({ metric, nLayers, colours, isBusy, hasOwnBar }: TintLegendProps) {
  const { title, unit, isOfLens, low, high, marked } = tintScale(metric, nLayers);
  const { kind, known, total, lens } = colours;
  const lensName = isOfLens ? `${lensTitle(kind)} lens` : null;
  return (
    <div className="w-full pb-1">
      <p className="flex flex-wrap items-center gap-x-2 text-label text-muted">
        <span>{[title, unit, lensName].filter((part) => part !== null).join(", ")}:</span>
        <span className="inline-flex items-center gap-x-2 whitespace-nowrap">
          <span>{low}</span>
          <span
            aria-hidden="true"
            className="h-3 w-24 border border-line"
            style={{ background: TINT_GRADIENT }}
          />
          <span>{high}</span>
        </span>
        <span className="underline decoration-dotted underline-offset-4">{marked}</span>
        {hasOwnBar && <span className="border-l-2 border-line-strong pl-1.5">bar: your text</span>}
        {(isBusy || (lens.status !== "done" && known < total)) && (
          <span>
            {formatCount(known)} of {formatCount(total)} tokens read
            {isBusy && "; what is missing is read when the reply has ended"}
            {lens.status === "unsaved" &&
              "; the reply failed, so the others cannot be read until the conversation is opened again"}
          </span>
        )}
      </p>
      {lens.error !== null && (
        <LensFailure title="Not every token has its colour." error={lens.error} onRetry={lens.retry} />
      )}
    </div>
  );
}
