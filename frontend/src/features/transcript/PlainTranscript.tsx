import clsx from "clsx";
import type { Mode } from "@/features/chat/chatState";
import type { Timeline } from "@/model/timeline";
import { runningText } from "@/model/runningText";
import { sectionsOf } from "./sections";

interface PlainTranscriptProps {
  readonly timeline: Timeline;
  readonly mode: Mode;
  readonly modelName: string;
}

/** The conversation as plain text, turn by turn: for screen readers, which read a list of tokens word by word. */
export default function PlainTranscript({ timeline, mode, modelName }: PlainTranscriptProps) {
  const { tokens } = timeline;
  return sectionsOf(timeline).map(({ speaker, start, end }) => {
    const said = tokens.slice(start, end).filter(({ role }) => role !== "template");
    if (said.length === 0) return null;
    const name = speaker === "model" ? modelName : speaker === "user" ? "You" : "System";
    return (
      <article key={start} aria-label={name} className="mb-4">
        <h3 className="text-label font-medium text-muted">{name}</h3>
        <p
          // Of no known language: the page's own would make a screen reader mispronounce it.
          lang=""
          dir="auto"
          className={clsx(
            "max-w-[66ch] text-title leading-6 break-words whitespace-pre-wrap",
            mode === "completion" && speaker !== "model" && "text-muted",
          )}
        >
          {runningText(said, timeline.status === "streaming")}
        </p>
      </article>
    );
  });
}
