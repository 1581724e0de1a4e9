import clsx from "clsx";
import { type ReactNode, useState } from "react";
import { usePins } from "@/features/pins/pinsContext";
import { PinToggle } from "@/features/pins/PinToggle";
import { layerTitle } from "@/model/layers";
import { Button, IconButton } from "@/ui/Button";
import { TRAJECTORY_METRICS, type TrajectoryMetric, formatReading, readingAt } from "./curveMetrics";
import { LineKey } from "./LineKey";
import { lookOf } from "./lineLook";
import { LineName } from "./LineName";
import { type Series, lineName } from "./series";

interface ReadOutProps {
  readonly series: readonly Series[];
  readonly layer: number;
  /** The layer is that under the pointer, not the selected one. */
  readonly isHovered: boolean;
  /** The lines are the suggested ones, because nothing is pinned. */
  readonly isDefault: boolean;
}

/** Every line with its values at one layer: the legend and the read-out in one, always at the same place. */
export function ReadOut({ series, layer, isHovered, isDefault }: ReadOutProps) {
  const { pins, combine } = usePins();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const slots = pins.map((pin) => pin.slot).filter((slot) => chosen.has(slot));
  const canCombine = !isDefault && pins.length > 1;
  const hasSum = pins.some((pin) => pin.tokens.length > 1);
  const onChoose = (slot: number, isChosen: boolean): void => {
    const next = new Set(chosen);
    if (isChosen) next.add(slot);
    else next.delete(slot);
    setChosen(next);
  };
  const choiceOf = ({ slot, tokens }: Series): ReactNode =>
    !canCombine ? null : slot === "actual" ? (
      <span className="size-4" /> // no pin, so nothing to add up
    ) : (
      <input
        type="checkbox"
        aria-label={`Add ${lineName(tokens)} to a sum`}
        checked={chosen.has(slot)}
        onChange={(event) => onChoose(slot, event.target.checked)}
        className="size-4"
      />
    );
  return (
    <section aria-label="Values" className="px-3 pb-2">
      <div className="overflow-x-auto">
        <table className="w-full text-left">
          <caption className="py-1 text-left text-muted">
            <b className="font-medium text-ink">{layerTitle(layer)}</b> {isHovered && "under the pointer, "}
            {isDefault ? "in the order of the output" : "in the order of the pins"}
          </caption>
          <thead className="text-cell text-quiet">
            <tr>
              <Head>token, read at index</Head>
              {TRAJECTORY_METRICS.map(({ value }) => (
                <Head key={value} className="text-right">
                  {HEADS[value]}
                </Head>
              ))}
              <Head>
                <span className="sr-only">pin</span>
              </Head>
            </tr>
          </thead>
          <tbody>
            {series.map((each, i) => (
              <Line
                key={each.key}
                series={each}
                layer={layer}
                // What concerns the token stands in the first of its rows.
                isFirst={series[i - 1]?.slot !== each.slot}
                choice={choiceOf(each)}
                isDefault={isDefault}
              />
            ))}
          </tbody>
        </table>
      </div>
      {canCombine && (
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-label text-muted">
          <Button
            disabled={slots.length < 2}
            onClick={() => {
              combine(slots);
              setChosen(new Set());
            }}
          >
            Sum selected
          </Button>
          Select two or more tokens to follow the sum of their probabilities.
        </p>
      )}
      {hasSum && (
        <p className="mt-1 text-label text-muted">
          A sum is the probability that any one of its tokens follows. It has no rank: a rank is that of one
          token.
        </p>
      )}
    </section>
  );
}

const HEADS: Readonly<Record<TrajectoryMetric, string>> = {
  probability: "probability",
  logprob: "log-prob., nats",
  rank: "rank",
};

function Head({ className, children }: { readonly className?: string; readonly children: ReactNode }) {
  return (
    <th scope="col" className={clsx("pr-2 font-normal last:pr-0", className)}>
      {children}
    </th>
  );
}

interface LineProps {
  readonly series: Series;
  readonly layer: number;
  readonly isFirst: boolean;
  readonly isDefault: boolean;
  readonly choice: ReactNode;
}

function Line({ series, layer, isFirst, isDefault, choice }: LineProps) {
  const reading = readingAt(series.curve, layer);
  return (
    <tr className={clsx("align-middle", isFirst && "border-t border-line")}>
      <th scope="row" className="max-w-48 py-0.5 pr-2 font-normal">
        <span className="flex min-h-6 min-w-0 flex-wrap items-center gap-x-2">
          {isFirst ? choice : null}
          <LineKey look={lookOf(series)} />
          <span className={clsx("min-w-0 truncate", !isFirst && "sr-only")}>
            <LineName tokens={series.tokens} />
          </span>
          <span className="text-cell text-muted">
            at {series.place.position}
            {series.isActual && <b className="ml-1.5 font-medium text-ink">actual</b>}
          </span>
        </span>
      </th>
      {TRAJECTORY_METRICS.map(({ value }) => (
        <td key={value} className="pr-2 text-right font-mono text-label whitespace-nowrap">
          {reading === null ? "" : formatReading(reading, value)}
        </td>
      ))}
      <td className="text-right whitespace-nowrap">
        {isFirst && <PinAction series={series} isDefault={isDefault} />}
      </td>
    </tr>
  );
}

interface PinActionProps {
  readonly series: Series;
  readonly isDefault: boolean;
}

function PinAction({ series: { slot, tokens }, isDefault }: PinActionProps) {
  const { remove, split } = usePins();
  const [first] = tokens;
  if (isDefault || slot === "actual")
    return first === undefined ? null : <PinToggle tokenId={first.id} text={first.text ?? ""} />;
  const name = lineName(tokens);
  return (
    <span className="inline-flex items-center">
      {tokens.length > 1 && (
        <Button look="quiet" aria-label={`Split the ${name}`} className="px-2" onClick={() => split(slot)}>
          Split
        </Button>
      )}
      <IconButton icon="close" label={`Unpin ${name}`} className="size-6" onClick={() => remove(slot)} />
    </span>
  );
}
