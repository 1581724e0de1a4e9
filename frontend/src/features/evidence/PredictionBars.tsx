import clsx from "clsx";
import type { ReactNode } from "react";
import { formatProbability } from "@/model/format";
import { cellPartsOfText } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";

interface Prediction {
  readonly tokenId: number;
  readonly text: string;
  readonly probability: number;
}

interface PredictionBarsProps {
  /** The most probable first. */
  readonly predictions: readonly Prediction[];
  /** The actual next token. */
  readonly actualId: number | null;
  /** What can be done with a prediction. */
  readonly actions: (prediction: Prediction) => ReactNode;
}

/** The first predictions of one place, each with a bar as long as its probability. */
export function PredictionBars({ predictions, actualId, actions }: PredictionBarsProps) {
  return (
    <ol
      className={clsx(
        // The rows share their columns, and two lists side by side have the same: all bars are measured by
        // one length, whatever can be done with a prediction. There is room for three actions.
        "[--actions:4.5rem] pointer-coarse:[--actions:8.25rem]",
        "grid grid-cols-[1.25rem_minmax(0,7rem)_minmax(1.5rem,1fr)_3.75rem_var(--actions)] gap-x-2 font-mono text-label",
        "@max-md:grid-cols-[1rem_minmax(0,5rem)_minmax(1.5rem,1fr)_3rem_var(--actions)]",
      )}
    >
      {predictions.map((prediction, i) => {
        const isActual = prediction.tokenId === actualId;
        return (
          <li key={prediction.tokenId} className="col-span-full grid grid-cols-subgrid items-center">
            <span className="text-quiet">{i + 1}</span>
            <TokenText
              parts={cellPartsOfText(prediction.text)}
              className={clsx("truncate", isActual && "font-medium")}
            />
            <span aria-hidden="true" className="h-2 rounded-[2px] bg-sunken">
              <span
                className={clsx("block h-full rounded-[2px]", isActual ? "bg-data-actual" : "bg-data-bar")}
                style={{ width: `${100 * prediction.probability}%` }}
              />
            </span>
            <span className="text-right">{formatProbability(prediction.probability)}</span>
            <span className="flex justify-end">{actions(prediction)}</span>
          </li>
        );
      })}
    </ol>
  );
}
