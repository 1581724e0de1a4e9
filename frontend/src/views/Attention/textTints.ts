/** The text of the conversation, coloured by what is read of each token. */
import { SIGNED_TINT_GRADIENT, signedTintOf } from "@/features/transcript/signedTint";
import { TINT_GRADIENT, type Tint, tintOf } from "@/features/transcript/tint";
import type { ViewTints } from "@/features/transcript/viewTints";
import { type Rows, type Scope, scopeName, sourceScale, sourceValues } from "./heads";
import { KINDS, type Kind, formatValue } from "./kinds";

/** The source that the list points at: another hue, and the second cue. */
export const POINTED: Tint = {
  background: "color-mix(in oklab, var(--accent) 40%, transparent)",
  isMarked: true,
};

/** By source; tokens after the position that reads have none. */
export function tintsOf(
  kind: Kind,
  values: readonly number[],
  max: number,
  pointed: number | null = null,
): Tint[] {
  return values.map((value, source) => {
    if (source === pointed) return POINTED;
    return KINDS[kind].isSigned ? signedTintOf(value, max) : tintOf(value, max);
  });
}

/** The colours and their legend. */
export function textTints(
  rows: Rows | null,
  scope: Scope,
  {
    kind,
    withSink,
    pointed,
  }: { readonly kind: Kind; readonly withSink: boolean; readonly pointed: number | null },
): Pick<ViewTints, "tints" | "legend"> {
  const { label, isSigned, together } = KINDS[kind];
  const values = rows === null ? [] : sourceValues(rows, scope);
  const max = sourceScale(values, withSink);
  const name = scopeName(scope).toLowerCase() + (scope.kind === "head" ? "" : ` (${together})`);
  return {
    tints: rows === null ? null : tintsOf(kind, values, max, pointed),
    legend: {
      title: rows === null ? `Attention, ${label.toLowerCase()}: not read yet` : `Attention, ${name}`,
      gradient: isSigned ? SIGNED_TINT_GRADIENT : TINT_GRADIENT,
      low: isSigned ? formatValue(kind, -max) : "0",
      high: formatValue(kind, max),
      marked: !withSink && Math.abs(values[0] ?? 0) > max ? "first token, beyond the scale" : null,
    },
  };
}
