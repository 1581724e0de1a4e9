import clsx from "clsx";
import { Button } from "@/ui/Button";
import { type Example, questionOf } from "./examples";

/** So many stand beside an answered one. */
const N_QUESTIONS = 3;

interface QuestionsProps {
  readonly examples: readonly Example[];
  /** The one that is answered below. */
  readonly answered: Example;
  /** The model is not loaded yet, so that no other can be answered. */
  readonly isWaiting: boolean;
  readonly onRun: (example: Example) => void;
  readonly onAskOwn: () => void;
}

/** The first examples as questions, above the one that a first visit opens with. */
export function Questions({ examples, answered, isWaiting, onRun, onAskOwn }: QuestionsProps) {
  return (
    <section aria-label="Questions to begin with" className="mb-5 space-y-2">
      <h2 className="text-page font-semibold">Watch a language model make up its mind</h2>
      <p className="text-muted low:hidden">
        Each word is predicted, layer by layer. One question is answered below: select any word of it.
      </p>
      <div className="flex flex-wrap gap-2">
        {examples.slice(0, N_QUESTIONS).map((example) => {
          const isAnswered = example.text === answered.text && example.mode === answered.mode;
          return (
            <button
              key={`${example.mode} ${example.text}`}
              type="button"
              disabled={isWaiting && !isAnswered}
              aria-pressed={isAnswered}
              onClick={() => !isAnswered && onRun(example)}
              className={clsx(
                "min-h-control rounded-control border px-2.5 py-[3px] text-left transition-colors disabled:text-quiet pointer-coarse:min-h-11",
                isAnswered ? "border-accent bg-accent-soft" : "border-line-strong enabled:hover:bg-hover",
              )}
            >
              {questionOf(example)}
            </button>
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
