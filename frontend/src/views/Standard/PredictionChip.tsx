import clsx from "clsx";
import { formatProbability } from "@/model/format";
import { type CellPart, byteListOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { TokenText } from "@/ui/TokenText";

interface PredictionChipProps {
  readonly prediction: LayerReading["predictions"][number];
  readonly parts: readonly CellPart[];
  /** It is the token that is really there. */
  readonly isActual: boolean;
}

/** One predicted token; its fill is as long as its probability. */
export function PredictionChip({ prediction, parts, isActual }: PredictionChipProps) {
  const { token_id, text, probability, rank } = prediction;
  const bytes = byteListOfText(text);
  return (
    <li
      title={`rank ${rank} · id ${token_id} · bytes ${bytes}${isActual ? " · the actual token" : ""}`}
      className={clsx(
        "relative isolate min-w-0 overflow-hidden rounded-mark px-1 leading-3.5",
        isActual
          ? "bg-data-actual-soft shadow-[inset_0_0_0_1.5px_var(--data-actual)]"
          : "shadow-[inset_0_0_0_1px_var(--line)]",
      )}
    >
      <span
        aria-hidden="true"
        className={clsx(
          "absolute inset-y-0 left-0 -z-10",
          isActual ? "bg-data-actual/30" : "bg-data-bar-soft",
        )}
        style={{ width: `${100 * probability}%` }}
      />
      <TokenText
        parts={parts}
        className={clsx("block truncate text-cell leading-3.5", isActual && "font-medium")}
      />
      <span className="block font-mono text-cell leading-3.5 whitespace-nowrap text-muted">
        {formatProbability(probability)}
      </span>
      {isActual && <span className="sr-only">, the actual token</span>}
    </li>
  );
}
