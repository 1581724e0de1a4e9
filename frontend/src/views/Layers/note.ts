import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows: "Each token is replaced by the chosen layer’s top-1 prediction for it, read at the token before.",
  isNot:
    "It is not what the model would write if it were cut off there. Layers say nothing and none of them writes text: each word is predicted after the real tokens before it, not after the layer’s own words. A layer that looks like junk may be one that the lens reads badly.",
  source: {
    text: "Belrose et al. 2023, Eliciting Latent Predictions from Transformers with the Tuned Lens, arXiv:2303.08112",
    href: "https://arxiv.org/abs/2303.08112",
  },
};
