import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows: "A line that rises at a layer says that the token can be read there.",
  isNot:
    "It does not say that the layer caused it, or that later blocks use it: what can be decoded from a state need not be what the model works with. A line that stays low early on does not say that the model knew nothing.",
  source: {
    text: "Belinkov 2022, Probing Classifiers: Promises, Shortcomings, and Advances, arXiv:2102.12452",
    href: "https://arxiv.org/abs/2102.12452",
  },
};
