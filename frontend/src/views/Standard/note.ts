import type { ViewNote } from "@/features/evidence/view";

export const note: ViewNote = {
  shows:
    "Each layer is read as if the remaining blocks added nothing: its residual stream goes through the model’s own final norm and unembedding.",
  isNot:
    "It is not what the layer “believes”, and no layer passes words on to the next. A layer whose top-k makes no sense may hold the answer in a form that this reading does not see.",
  source: {
    text: "nostalgebraist 2020, interpreting GPT: the logit lens",
    href: "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
  },
};
