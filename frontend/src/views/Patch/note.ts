import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "A state of one run is put in the place of the other's, and the model runs on from there. The score says how far its answer follows: 0 where nothing changes, 1 where the whole difference between the two runs is carried over.",
  isNot:
    "A place that carries the answer is not the only one: scores of two places do not add up. Enough (denoise) and needed (noise) are different questions. The estimate that orders the cells is a guess and never shown as a score.",
  source: {
    text: "Zhang & Nanda 2023, towards best practices of activation patching",
    href: "https://arxiv.org/abs/2309.16042",
  },
};
