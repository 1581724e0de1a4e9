import clsx from "clsx";
import { formatProbability, formatShortProbability } from "@/model/format";
import { type CellPart, byteListOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { TokenText } from "@/ui/TokenText";
import type { RowLayout } from "./rowLayout";

interface PredictionChipProps {
  readonly prediction: LayerReading["predictions"][number];
  readonly parts: readonly CellPart[];
  /** It is the token that is really there. */
  readonly isActual: boolean;
  readonly layout: RowLayout;
}

/** One predicted token; its fill is as long as its probability. */
export function PredictionChip({ prediction, parts, isActual, layout }: PredictionChipProps) {
  const { token_id, text, probability, rank } = prediction;
  const { isOneLine, hasText } = layout;
  return (
    <li
      title={`rank ${rank} · probability ${formatProbability(probability)} · id ${token_id} · bytes ${byteListOfText(text)}${isActual ? " · the actual token" : ""}`}
      className={clsx(
        "relative isolate min-w-0 overflow-hidden rounded-mark px-1 text-label leading-3.5",
        isOneLine ? "flex items-center gap-1" : "flex flex-col justify-center",
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
        className={clsx(
          hasText ? "block min-w-0 truncate leading-3.5" : "sr-only",
          isActual && "font-medium",
        )}
      />
      <span
        className={clsx(
          hasText ? "block font-mono text-cell leading-3.5 whitespace-nowrap text-muted" : "sr-only",
          isOneLine && "ml-auto",
        )}
      >
        {formatShortProbability(probability)}
      </span>
      {isActual && <span className="sr-only">, the actual token</span>}
    </li>
  );
}
