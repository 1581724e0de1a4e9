/** The lenses by name, and what each asks of a layer. */
import type { components } from "@/types/api";
import type { Citation } from "./citation";

export type LensKind = components["schemas"]["LensInfo"]["kind"];

/** What the views read. */
export interface LensInUse {
  readonly kind: LensKind;
  /** Half layers as well. */
  readonly hasHalf: boolean;
}

interface LensText {
  readonly kind: LensKind;
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly hint: string;
  readonly source: Citation;
}

export const LENSES: readonly LensText[] = [
  {
    kind: "logit",
    title: "logit",
    hint: "The layer as it is, decoded by the model’s own final norm and unembedding.",
    source: {
      text: "nostalgebraist 2020, interpreting GPT: the logit lens",
      href: "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
    },
  },
  {
    kind: "tuned",
    title: "tuned",
    hint: "The layer after an affine map that was fitted to come near the model’s output.",
    source: {
      text: "Belrose et al. 2023, Eliciting Latent Predictions from Transformers with the Tuned Lens, arXiv:2303.08112",
      href: "https://arxiv.org/abs/2303.08112",
    },
  },
  {
    kind: "jacobian",
    title: "Jacobian",
    hint: "What the layer pushes the output towards on average, at this and later tokens.",
    source: {
      text: "Gurnee et al. 2026, Verbalizable Representations Form a Global Workspace in Language Models",
      href: "https://transformer-circuits.pub/2026/workspace/index.html",
    },
  },
];

/** `logit`, `tuned`, `Jacobian`. */
export const lensTitle = (kind: LensKind): string => LENSES.find((lens) => lens.kind === kind)?.title ?? kind;

export const isLensKind = (value: unknown): value is LensKind => LENSES.some((lens) => lens.kind === value);

/** The lens that was chosen, if the model has it; otherwise the logit lens, which every model has. */
export function lensInUse(chosen: LensKind, offered: readonly { readonly kind: LensKind }[]): LensKind {
  return offered.some((lens) => lens.kind === chosen) ? chosen : "logit";
}
