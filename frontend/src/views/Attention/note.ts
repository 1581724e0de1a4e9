import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "The position before the selected token, or the token itself, reads earlier tokens through each head: the model’s own attention weights, the length of what each token writes through the head, or what that adds to the logit. “What reads it” is the other way round: the attention that later tokens give to the selected one.",
  isNot:
    "Attention says where a head looks, not what it uses. A weight of 0.9 on a token whose value vector is short moves little; the first token often takes what a head does not need. Contributions to the logit are direct effects: what later blocks make of it is not in them.",
  source: {
    text: "Kobayashi et al. 2020, Attention is Not Only a Weight: Analyzing Transformers with Vector Norms",
    href: "https://arxiv.org/abs/2004.10102",
  },
};
