/** The lenses by name, and what each asks of a layer. */
import type { components } from "@/types/api";

export type LensKind = components["schemas"]["LensInfo"]["kind"];

interface LensText {
  readonly kind: LensKind;
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly hint: string;
}

export const LENSES: readonly LensText[] = [
  {
    kind: "logit",
    title: "logit",
    hint: "The layer as it is, decoded by the model’s own final norm and unembedding.",
  },
  {
    kind: "tuned",
    title: "tuned",
    hint: "The layer after an affine map that was fitted to come near the model’s output.",
  },
  {
    kind: "jacobian",
    title: "Jacobian",
    hint: "What the layer pushes the output towards on average, at this and later tokens.",
  },
];

export const isLensKind = (value: unknown): value is LensKind => LENSES.some((lens) => lens.kind === value);

/** The lens that was chosen, if the model has it; otherwise the logit lens, which every model has. */
export function lensInUse(chosen: LensKind, offered: readonly { readonly kind: LensKind }[]): LensKind {
  return offered.some((lens) => lens.kind === chosen) ? chosen : "logit";
}
