/** A run of positions, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The part of a span, given in fractions too, that lies in another; all of the other where none does. */
export function within({ start, end }: Span, all: Span): Span {
  const part = { start: Math.max(all.start, Math.floor(start)), end: Math.min(all.end, Math.ceil(end)) };
  return part.start < part.end ? part : all;
}
