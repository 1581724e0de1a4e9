/** Geometry of a small line chart: axes, ticks, paths and labels that do not cover each other. */
import { roundUp } from "@/charts/colour/colour";

export interface Axis {
  readonly kind: "linear" | "log";
  /** Value at the foot. */
  readonly bottom: number;
  /** Value at the head. */
  readonly top: number;
  readonly ticks: readonly number[];
}

type Values = readonly (number | null)[];

const isNumber = (value: number | null): value is number => value !== null;

/** From 0 to a round number that holds every value, 1 at most. */
export function probabilityAxis(values: Values): Axis {
  const top = Math.min(1, roundUp(Math.max(0, ...values.filter(isNumber))));
  // `top` is 1, 2 or 5 times a power of ten; only 2 is not cut well into five.
  const parts = Math.round(top / 10 ** Math.floor(Math.log10(top) + 1e-9)) === 2 ? 4 : 5;
  return { kind: "linear", bottom: 0, top, ticks: steps(parts, (part) => (part * top) / parts) };
}

/** From 0 down to a round number of nats. */
export function logprobAxis(values: Values): Axis {
  const depth = Math.max(1, ...values.filter(isNumber).map((value) => -value));
  const step = roundUp(depth / 5);
  const parts = Math.ceil(depth / step - 1e-9);
  return {
    kind: "linear",
    bottom: -parts * step,
    top: 0,
    ticks: steps(parts, (part) => (part === 0 ? 0 : -part * step)),
  };
}

/** Powers of ten from 1, at the head, to one that holds every rank. */
export function rankAxis(values: Values): Axis {
  const powers = Math.max(1, Math.ceil(Math.log10(Math.max(1, ...values.filter(isNumber))) - 1e-9));
  return { kind: "log", bottom: 10 ** powers, top: 1, ticks: steps(powers, (power) => 10 ** power) };
}

const steps = (last: number, value: (step: number) => number): number[] =>
  Array.from({ length: last + 1 }, (_, step) => value(step));

/** Where a value lies between the foot (0) and the head (1). */
export function shareOf({ kind, bottom, top }: Axis, value: number): number {
  return kind === "log"
    ? (Math.log(value) - Math.log(bottom)) / (Math.log(top) - Math.log(bottom))
    : (value - bottom) / (top - bottom);
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** An SVG path through the points; a null breaks the line. */
export function linePath(points: readonly (Point | null)[]): string {
  let command = "M";
  const parts: string[] = [];
  for (const point of points) {
    if (point === null) command = "M";
    else {
      parts.push(`${command}${round(point.x)} ${round(point.y)}`);
      command = "L";
    }
  }
  return parts.join("");
}

/** Layers to label: the first, the last, and as many regular ones between them as have `room` (in px) each. */
export function labelledLayers(last: number, width: number, room: number): number[] {
  if (last <= 0) return [0];
  const spacing = width / last;
  const step = [1, 2, 5, 10, 20, 50, 100].find((each) => each * spacing >= room) ?? last;
  const layers = [0];
  for (let layer = step; layer < last; layer += step) {
    // Layer 0 is labelled by a word, the last one always, so their neighbours need more room.
    if (layer * spacing >= 1.5 * room && (last - layer) * spacing >= room) layers.push(layer);
  }
  return [...layers, last];
}

/** The layer nearest to a place on the x axis. */
export const layerAt = (x: number, width: number, last: number): number =>
  width <= 0 ? 0 : Math.min(last, Math.max(0, Math.round((x / width) * last)));

/** Places for labels at least `gap` apart and between `top` and `bottom`, near where they are wanted; same order. */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y || a.i - b.i);
  const placed: number[] = wanted.map(() => top);
  let least = top;
  for (const { y, i } of order) {
    const at = Math.max(least, y);
    placed[i] = at;
    least = at + gap;
  }
  let most = bottom;
  for (const { i } of order.toReversed()) {
    const at = Math.min(most, placed[i] ?? most);
    placed[i] = at;
    most = at - gap;
  }
  return placed;
}
