/** Moving among the tokens and the chips that stand for folded templates, by horizontal arrow keys. */

export const templateChipId = (start: number): string => `template-${start}`;

type Stop =
  { readonly kind: "chip"; readonly start: number } | { readonly kind: "token"; readonly index: number };

/** The chip or token that a horizontal arrow key leads to from a chip, or from a token beside one; null for other keys. */
export function stopAfter(
  key: string,
  list: Element | null,
  chip: number | null,
  selected: number | null,
): Stop | null {
  const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  if (step === 0 || list === null) return null;
  const stops = [...list.querySelectorAll("[role=option]")];
  const here = chip ?? selected;
  const name = chip === null ? "data-index" : "data-chip";
  const at = stops.findIndex((stop) => here !== null && stop.getAttribute(name) === `${here}`);
  const next = at === -1 ? (step === 1 ? stops[0] : stops.at(-1)) : stops[at + step];
  if (next === undefined) return null;
  const start = next.getAttribute("data-chip");
  return start === null
    ? { kind: "token", index: Number(next.getAttribute("data-index")) }
    : { kind: "chip", start: Number(start) };
}
