import type { components } from "@/types/api";

type ModelInfo = components["schemas"]["ModelInfo"];

/** What may be expected of the replies, where that is less than a reader may think; null for models that chat. */
export function honestyLine({ source, chat_template }: ModelInfo): string | null {
  if (source === "embedded") {
    return "A small demo model for inspection: do not rely on its facts.";
  }
  return chat_template.source === "built-in"
    ? "This model continues text; it was not trained to chat."
    : null;
}
