/** Colour behind running text for values with a sign: a second hue below zero. */
import { type Tint, backgroundsOf, gradientOf, tintOf } from "./tint";

const NEGATIVE = backgroundsOf("--data-tint-negative");
const STEPS = NEGATIVE.length - 1;
// Shared objects, as those of `tint.ts`.
const PLAIN: readonly Tint[] = NEGATIVE.map((background) => ({ background, isMarked: false }));
const MARKED: Tint = { background: NEGATIVE[STEPS] ?? "transparent", isMarked: true };

/** From the most negative value to the most positive one. */
export const SIGNED_TINT_GRADIENT = gradientOf([
  ...NEGATIVE.slice(1).reverse(),
  ...backgroundsOf("--data-tint"),
]);

export function signedTintOf(value: number, max: number): Tint {
  if (value >= 0) return tintOf(value, max);
  return value < -max ? MARKED : (PLAIN[Math.round((-value / max) * STEPS)] ?? MARKED);
}
