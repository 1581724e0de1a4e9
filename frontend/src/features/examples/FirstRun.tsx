import { useState } from "react";
import { honestyLine } from "@/features/chat/honesty";
import { TourOffer } from "@/features/tour/TourOffer";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { type Example, questionOf } from "./examples";

/** So many fit a laptop's first screen. */
const FIRST_EXAMPLES = 3;

interface FirstRunProps {
  readonly model: ModelInfo;
  readonly examples: readonly Example[];
  /** The server is trying which examples hold on this model. */
  readonly areAwaited: boolean;
  readonly onRun: (example: Example) => void;
  readonly onStartTour: () => void;
}

/** The empty conversation: what this is, what to do first, and questions that are answered in one click. */
export function FirstRun({ model, examples, areAwaited, onRun, onStartTour }: FirstRunProps) {
  const [areAllShown, setAreAllShown] = useState(false);
  const shown = areAllShown ? examples : examples.slice(0, FIRST_EXAMPLES);
  const nMore = examples.length - shown.length;
  return (
    <div className="m-auto w-full max-w-xl space-y-5 py-6">
      <div className="space-y-2">
        <h2 className="text-page font-semibold">Send a text, then select any word</h2>
        <p className="text-muted">
          The model predicts one token after another. This page shows how each prediction forms, layer by
          layer, through the {model.num_layers} layers of the model.
        </p>
      </div>
      <TourOffer onStart={onStartTour} />
      {model.note !== null && <p className="rounded-control bg-warn-soft px-3 py-2">{model.note}</p>}
      {areAwaited && (
        <p role="status" className="text-muted">
          Checking which example questions this model answers…
        </p>
      )}
      {examples.length > 0 && (
        <div className="space-y-2">
          <h3 className="text-label font-medium text-muted">
            Or begin with a question, answered at once, with where to look
          </h3>
          <ul className="divide-y divide-line border-y border-line">
            {shown.map((example) => (
              <li key={`${example.mode} ${example.text}`}>
                <button
                  type="button"
                  onClick={() => onRun(example)}
                  className="block w-full rounded-control px-2 py-2 text-left transition-colors hover:bg-hover"
                >
                  <span className="flex items-baseline justify-between gap-3">
                    <span className="font-medium">{questionOf(example)}</span>
                    <span className="text-label text-quiet">{example.mode}</span>
                  </span>
                  <span className="mt-0.5 block font-mono text-label break-words">{example.text}</span>
                </button>
              </li>
            ))}
          </ul>
          {nMore > 0 && (
            <Button look="quiet" onClick={() => setAreAllShown(true)}>
              Show {nMore} more
            </Button>
          )}
        </div>
      )}
      <p className="text-muted">
        {honestyLine(model)}{" "}
        {model.chat_template.source === "built-in" &&
          "In chat mode your messages are put into a plain template, which you see in the conversation."}
      </p>
    </div>
  );
}
