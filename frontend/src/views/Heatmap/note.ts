import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows: "One cell is one prediction, read at the token of its column after the block of its row.",
  isNot:
    "It is not a picture of information that flows from cell to cell: what attention moves between columns is not drawn. A dark early row may be a layer that the lens reads badly, rather than one that knows little.",
  source: {
    text: "Belrose et al. 2023, Eliciting Latent Predictions from Transformers with the Tuned Lens, arXiv:2303.08112",
    href: "https://arxiv.org/abs/2303.08112",
  },
};
