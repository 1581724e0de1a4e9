/** The ways to look at the evidence. The order is that of the tabs. */
import type { ViewDefinition } from "@/features/evidence/view";
import { lazyPart } from "@/ui/lazyPart";

export const VIEWS: readonly ViewDefinition[] = [
  {
    id: "standard",
    title: "Standard",
    shortcut: "1",
    follows: "token",
    note: {
      shows:
        "Each layer is read as if the remaining blocks added nothing: its residual stream goes through the model’s own final norm and unembedding.",
      isNot:
        "It is not what the layer “believes”, and no layer passes words on to the next. A layer whose top-k makes no sense may hold the answer in a form that this reading does not see.",
      source: {
        text: "nostalgebraist 2020, interpreting GPT: the logit lens",
        href: "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
      },
    },
    Component: lazyPart(() => import("@/views/Standard/Standard")),
  },
  {
    id: "heatmap",
    title: "Heatmap",
    shortcut: "2",
    follows: "text",
    note: {
      shows: "One cell is one prediction, read at the token of its column after the block of its row.",
      isNot:
        "It is not a picture of information that flows from cell to cell: what attention moves between columns is not drawn. A dark early row may be a layer that the lens reads badly, rather than one that knows little.",
      source: {
        text: "Belrose et al. 2023, Eliciting Latent Predictions from Transformers with the Tuned Lens, arXiv:2303.08112",
        href: "https://arxiv.org/abs/2303.08112",
      },
    },
    Component: lazyPart(() => import("@/views/Heatmap/Heatmap")),
  },
  {
    id: "trajectories",
    title: "Trajectories",
    shortcut: "3",
    follows: "token",
    note: {
      shows: "A line that rises at a layer says that the token can be read there.",
      isNot:
        "It does not say that the layer caused it, or that later blocks use it: what can be decoded from a state need not be what the model works with. A line that stays low early on does not say that the model knew nothing.",
      source: {
        text: "Belinkov 2022, Probing Classifiers: Promises, Shortcomings, and Advances, arXiv:2102.12452",
        href: "https://arxiv.org/abs/2102.12452",
      },
    },
    Component: lazyPart(() => import("@/views/Trajectories/Trajectories")),
  },
  {
    id: "layers",
    title: "Layers",
    shortcut: "4",
    follows: "text",
    note: {
      shows:
        "In the place of each token stands what the chosen layer predicts for it: its first choice, read at the token before.",
      isNot:
        "It is not what the model would write if it were cut off there. Layers say nothing and none of them writes text: each word is predicted after the real tokens before it, not after the layer’s own words. A layer that looks like junk may be one that the lens reads badly.",
      source: {
        text: "Belrose et al. 2023, Eliciting Latent Predictions from Transformers with the Tuned Lens, arXiv:2303.08112",
        href: "https://arxiv.org/abs/2303.08112",
      },
    },
    Component: lazyPart(() => import("@/views/Layers/Layers")),
  },
  {
    id: "compare",
    title: "Compare",
    shortcut: "5",
    follows: "text",
    note: {
      shows:
        "Two timelines are aligned by their token ids. Each cell compares what the two predict at one pair of tokens and one pair of layers.",
      isNot:
        "A difference in what can be read at a layer is no evidence of where or why the model’s computation differs: that takes patching, which puts one run’s state into the other. The alignment is by tokens, not by meaning, so a pair need not mean the same.",
      source: {
        text: "Heimersheim & Nanda 2024, How to use and interpret activation patching, arXiv:2404.15255",
        href: "https://arxiv.org/abs/2404.15255",
      },
    },
    Component: lazyPart(() => import("@/views/Compare/Compare")),
  },
];
