import clsx from "clsx";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { isBrowserCommand } from "@/base/keys";
import type { Layers } from "@/features/steering/interventions";
import { formatProbability, formatRank } from "@/model/format";
import { layerAfterKey, layerLabel, layerTitle } from "@/model/layers";
import type { TargetScore } from "@/reading/underInterventions";

interface LayerStripProps {
  readonly nLayers: number;
  /** How far the token can be read, layer 0 first; null until it is known. */
  readonly scores: readonly TargetScore[] | null;
  readonly layers: Layers;
  readonly onChange: (layers: Layers) => void;
}

/** Ranks beyond it are no bar. */
const LOWEST_RANK = 10_000;

/** On a log scale: rank 1 fills the cell. */
const heightOf = (rank: number): number =>
  rank < 1 ? 0 : Math.max(0, 1 - Math.log10(rank) / Math.log10(LOWEST_RANK));

/** Where the token can be read, layer by layer; a drag over it, or the two handles, choose where to act. */
export function LayerStrip({ nLayers, scores, layers, onChange }: LayerStripProps) {
  const strip = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const shown =
    drag === null ? layers : { first: Math.min(drag.from, drag.to), last: Math.max(drag.from, drag.to) };
  const layerUnder = (event: PointerEvent): number => {
    const box = strip.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    const share = (event.clientX - box.left) / box.width;
    return Math.min(nLayers, Math.max(0, Math.floor(share * (nLayers + 1))));
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const layer = layerUnder(event);
    setDrag({ from: layer, to: layer });
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (drag !== null) setDrag({ ...drag, to: layerUnder(event) });
  };
  const onPointerUp = (): void => {
    if (drag === null) return;
    setDrag(null);
    onChange(shown);
  };
  return (
    <div>
      <div
        ref={strip}
        data-part="layer-strip"
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDrag(null)}
        className="flex h-14 cursor-ew-resize touch-none gap-px select-none"
      >
        {Array.from({ length: nLayers + 1 }, (_, layer) => {
          const score = scores?.[layer];
          const isIn = layer >= shown.first && layer <= shown.last;
          return (
            <div
              key={layer}
              title={
                score === undefined
                  ? layerTitle(layer)
                  : `${layerTitle(layer)}: rank ${formatRank(score.rank)}, probability ${formatProbability(score.probability)}`
              }
              className={clsx(
                "flex min-w-0 flex-1 flex-col justify-end rounded-[2px] border-b-2 forced-color-adjust-none forced-colors:bg-[Canvas]",
                isIn
                  ? "border-accent bg-accent-soft forced-colors:border-[Highlight]"
                  : "border-transparent bg-sunken",
              )}
            >
              <span
                className={clsx(
                  "block rounded-[2px]",
                  score?.rank === 1 ? "bg-data-actual" : "bg-data-bar",
                  !isIn && "forced-colors:opacity-40",
                )}
                style={{ height: `${100 * heightOf(score?.rank ?? 0)}%` }}
              />
            </div>
          );
        })}
      </div>
      <div aria-hidden="true" className="flex gap-px font-mono text-cell text-muted">
        {Array.from({ length: nLayers + 1 }, (_, layer) => (
          <span key={layer} className="min-w-0 flex-1 text-center">
            {isNumbered(layer, nLayers) && (layer === 0 ? "0" : layerLabel(layer))}
          </span>
        ))}
      </div>
      <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1">
        <Handle
          name="First layer"
          layer={layers.first}
          nLayers={nLayers}
          onChange={(first) => onChange({ first, last: Math.max(first, layers.last) })}
        />
        <Handle
          name="Last layer"
          layer={layers.last}
          nLayers={nLayers}
          onChange={(last) => onChange({ first: Math.min(layers.first, last), last })}
        />
      </div>
    </div>
  );
}

/** As many as there is room for. */
const isNumbered = (layer: number, nLayers: number): boolean =>
  nLayers <= 16 || layer === nLayers || layer % (nLayers > 40 ? 8 : 4) === 0;

interface HandleProps {
  readonly name: string;
  readonly layer: number;
  readonly nLayers: number;
  readonly onChange: (layer: number) => void;
}

/** One end of the range, for keys and fingers. */
function Handle({ name, layer, nLayers, onChange }: HandleProps) {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const next = layerAfterKey(event.key, layer, nLayers);
    if (next === null) return;
    event.preventDefault();
    onChange(next);
  };
  return (
    <label className="flex max-w-60 min-w-40 flex-1 items-center gap-1.5 text-label text-muted">
      <span className="shrink-0">{name}</span>
      <input
        type="range"
        min={0}
        max={nLayers}
        step={1}
        value={layer}
        aria-label={name}
        aria-valuetext={layerTitle(layer)}
        onKeyDown={onKeyDown}
        onChange={(event) => onChange(Number(event.target.value))}
        className="min-w-0 flex-1 accent-accent"
      />
      <output className="w-5 font-mono text-ink">{layer}</output>
    </label>
  );
}
