import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "The model is run again with a direction added to its residual stream, taken out of it, or exchanged for another, and its output is read. The grey line does the same with a random direction of the same length.",
  isNot:
    "It is not evidence that the model uses this direction by itself: a large enough push in any direction changes an output. Compare with the random direction, and with strength 0.",
  source: {
    text: "Turner et al. 2023, Activation Addition",
    href: "https://arxiv.org/abs/2308.10248",
  },
};
