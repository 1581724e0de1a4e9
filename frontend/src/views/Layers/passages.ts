/** What of the conversation is shown, as passages of lines of token indices. */
import { segmentsOf } from "@/model/segments";
import type { Timeline } from "@/model/timeline";
import type { LayersChoices } from "./choices";
import type { WordForms } from "./wordForms";

export interface Passage {
  /** Index of the first token of the prompt or reply. */
  readonly start: number;
  readonly kind: "prompt" | "reply";
  /** Lines end where they end in the real text. */
  readonly lines: readonly (readonly number[])[];
}

export function passagesOf(
  timeline: Timeline,
  scope: LayersChoices["scope"],
  showTemplate: boolean,
  forms: WordForms,
): Passage[] {
  const isShown = (index: number): boolean => {
    const role = timeline.tokens[index]?.role;
    return scope === "reply" ? role === "assistant" : showTemplate || role !== "template";
  };
  return segmentsOf(timeline).flatMap(({ kind, start, end }) => {
    const lines: number[][] = [];
    let line: number[] = [];
    for (let index = start; index < end; index += 1) {
      if (isShown(index)) line.push(index);
      if (forms.endsLine(index) || index === end - 1) {
        if (line.length > 0) lines.push(line);
        line = [];
      }
    }
    return lines.length === 0 ? [] : [{ start, kind, lines }];
  });
}
