import clsx from "clsx";
import { Fragment } from "react";
import { Button } from "@/ui/Button";
import { type Example, questionOf } from "./examples";

/** So many stand beside an answered one. */
const N_QUESTIONS = 3;

const QUESTION =
  "min-h-control rounded-control border px-2.5 py-[3px] text-left transition-colors disabled:text-quiet pointer-coarse:min-h-11";
const OPEN = "border-line-strong enabled:hover:bg-hover";

interface QuestionsProps {
  readonly examples: readonly Example[];
  /** The one that is answered below. */
  readonly answered: Example;
  /** The model is not loaded yet, so that no other can be answered. */
  readonly isWaiting: boolean;
  readonly onRun: (example: Example) => void;
  /** Which word of the answered one carries its answer. */
  readonly onAskWord: () => void;
  readonly onAskOwn: () => void;
}

/** The first examples as questions, above the one that a first visit opens with. */
export function Questions({ examples, answered, isWaiting, onRun, onAskWord, onAskOwn }: QuestionsProps) {
  return (
    <section aria-label="Questions to begin with" className="mb-5 space-y-2">
      <h2 className="text-page font-semibold">Watch a language model make up its mind</h2>
      <p className="text-muted low:hidden">
        Each word is predicted, layer by layer. One question is answered below: select any word of it.
      </p>
      <div className="flex flex-wrap gap-2">
        {examples.slice(0, N_QUESTIONS).map((example, number) => {
          const isAnswered = example.text === answered.text && example.mode === answered.mode;
          return (
            <Fragment key={`${example.mode} ${example.text}`}>
              <button
                type="button"
                disabled={isWaiting && !isAnswered}
                aria-pressed={isAnswered}
                onClick={() => !isAnswered && onRun(example)}
                className={clsx(QUESTION, isAnswered ? "border-accent bg-accent-soft" : OPEN)}
              >
                {questionOf(example)}
              </button>
              {number === 0 && (
                <button
                  type="button"
                  disabled={isWaiting}
                  onClick={onAskWord}
                  className={clsx(QUESTION, OPEN)}
                >
                  Which word carries the answer?
                </button>
              )}
            </Fragment>
          );
        })}
        <Button look="primary" className="pointer-coarse:min-h-11" onClick={onAskOwn}>
          Ask your own
        </Button>
      </div>
      {isWaiting && (
        <p role="status" className="text-label text-muted">
          The answer came with the model. Its numbers are computed again as soon as the model is loaded.
        </p>
      )}
    </section>
  );
}
