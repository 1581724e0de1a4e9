import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "The last residual stream is a sum of what the embedding, attention and MLPs wrote. With the scale of the final norm frozen at this token, the logit is that sum too: each part adds or takes a number of logits, and the numbers add up.",
  isNot:
    "The parts are direct effects. What a head does by feeding a later block is counted in that block, so a small bar does not mean that the model could do without the part, and a large one is no proof that it decides. Ablation lets later blocks respond, so it may name other heads.",
  source: {
    text: "Elhage et al. 2021, a mathematical framework for transformer circuits",
    href: "https://transformer-circuits.pub/2021/framework/index.html",
  },
};
