import clsx from "clsx";
import type { KeyboardEvent, PointerEvent } from "react";
import { isBrowserCommand } from "@/base/keys";
import { labelledLayers } from "@/charts/lines/chart";
import { layerAfterKey, layerLabel, layerTitle } from "@/model/layers";
import { useElementWidth } from "@/ui/useElementWidth";
import { type Agreement, agreementText } from "./layerWords";

interface LayerScrubberProps {
  readonly layer: number;
  readonly last: number;
  /** 0.5 with half layers, else 1. */
  readonly step: number;
  /** Null until something is read. */
  readonly agreement: Agreement | null;
  readonly onChange: (layer: number) => void;
}

const BAR_HEIGHT = 40;
/** Room in px for one label. */
const LABEL_ROOM = 26;

/** A slider over the layers. The bar of each is the share of positions at which its top-1 is the actual token. */
export function LayerScrubber({ layer, last, step, agreement, onChange }: LayerScrubberProps) {
  const [frame, width] = useElementWidth<HTMLDivElement>(560);
  const count = last / step + 1;
  const columnWidth = width / count;
  const labelled = new Set(labelledLayers(last, width - columnWidth, LABEL_ROOM));
  const shareAt = (at: number): number =>
    agreement === null || agreement.nRead === 0 ? 0 : (agreement.nActual.get(at) ?? 0) / agreement.nRead;
  const textAt = (at: number): string => {
    const name = layerTitle(at);
    if (agreement === null || agreement.nRead === 0) return `${name}: nothing read yet`;
    const share = Math.round(100 * shareAt(at));
    return `${name}: ${agreementText(agreement.nActual.get(at) ?? 0, agreement.nRead)}, ${share} %`;
  };

  const layerUnder = (event: PointerEvent): number => {
    const box = event.currentTarget.getBoundingClientRect();
    const row = Math.floor(((event.clientX - box.left) / Math.max(1, box.width)) * count);
    return Math.min(last, Math.max(0, step * row));
  };
  const moveTo = (next: number): void => {
    if (next !== layer) onChange(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const next = layerAfterKey(event.key, layer, last, step);
    if (next === null) return;
    event.preventDefault();
    moveTo(next);
  };

  return (
    <div>
      <p className="pb-0.5 text-cell text-muted">Top-1 accuracy per layer, 0 to 1</p>
      <div
        ref={frame}
        role="slider"
        tabIndex={0}
        aria-label="Layer"
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={layer}
        aria-valuetext={textAt(layer)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          moveTo(layerUnder(event));
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) moveTo(layerUnder(event));
        }}
        className="flex cursor-pointer touch-pan-y rounded-mark select-none"
      >
        {Array.from({ length: count }, (_, row) => {
          const at = step * row;
          const isHere = at === layer;
          return (
            <span
              key={at}
              title={textAt(at)}
              className="group relative flex min-w-0 flex-1 flex-col items-center"
            >
              <span
                className={clsx(
                  "flex w-full items-end justify-center border-t border-line",
                  isHere ? "bg-selected" : "group-hover:bg-hover",
                )}
                style={{ height: BAR_HEIGHT }}
              >
                <span
                  data-part="share"
                  className="w-[62%] max-w-6 rounded-t-[1px] bg-data-actual"
                  style={{ height: `${100 * shareAt(at)}%` }}
                />
              </span>
              <span aria-hidden="true" className="relative h-4 w-full">
                <span className="absolute inset-x-0 top-1/2 h-[3px] -translate-y-1/2 bg-line-strong" />
                {isHere && (
                  <span className="absolute top-1/2 left-1/2 size-4 -translate-1/2 rounded-full border-2 border-raised bg-accent" />
                )}
              </span>
              <span
                aria-hidden="true"
                className={clsx(
                  "h-4 font-mono text-cell",
                  at === 0 && "self-start",
                  isHere ? "font-medium text-ink" : "text-muted",
                )}
              >
                {labelled.has(at) && layerLabel(at)}
              </span>
            </span>
          );
        })}
      </div>
    </div>
  );
}
