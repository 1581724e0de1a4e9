import { useEffect, useState } from "react";

/** All layers take about this long, each at most and at least so long. */
const WHOLE_MS = 9000;
const STEP_MS = { least: 250, most: 700 } as const;

export interface Play {
  readonly isPlaying: boolean;
  /** Begins at the layer that is shown, at the embedding when that is the last one. */
  readonly start: () => void;
  readonly stop: () => void;
}

/** Steps through the layers; stops at the last one, when anything else moves the layer, and with the view. */
export function usePlay(layer: number, last: number, step: number, onStep: (layer: number) => void): Play {
  /** Where the last step led; null while nothing plays. */
  const [playedTo, setPlayedTo] = useState<number | null>(null);
  if (playedTo !== null && playedTo !== layer) setPlayedTo(null);
  const isPlaying = playedTo === layer;

  useEffect(() => {
    if (!isPlaying) return undefined;
    const ms = Math.min(STEP_MS.most, Math.max(STEP_MS.least, WHOLE_MS / Math.max(1, last / step)));
    const timer = setTimeout(() => {
      const next = Math.min(last, layer + step);
      onStep(next);
      setPlayedTo(next === last ? null : next);
    }, ms);
    return () => clearTimeout(timer);
  }, [isPlaying, layer, last, step, onStep]);

  return {
    isPlaying,
    start: () => {
      const from = layer >= last ? 0 : layer;
      if (from !== layer) onStep(from);
      setPlayedTo(from);
    },
    stop: () => setPlayedTo(null),
  };
}
