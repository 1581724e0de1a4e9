import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "Two timelines are aligned by their token ids. Each cell compares what the two predict at one pair of tokens and one pair of layers.",
  isNot:
    "A difference in what can be read at a layer is no evidence of where or why the model’s computation differs: that takes patching, which puts one run’s state into the other. The alignment is by tokens, not by meaning, so a pair need not mean the same.",
  source: {
    text: "Heimersheim & Nanda 2024, How to use and interpret activation patching, arXiv:2404.15255",
    href: "https://arxiv.org/abs/2404.15255",
  },
};
