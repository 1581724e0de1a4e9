import { Button } from "@/ui/Button";
import { offersFor } from "./offers";

interface OfferedWordsProps {
  readonly text: string;
  readonly disabled: boolean;
  readonly onRun: (text: string) => void;
}

/** Other words for one of the message: each compares in one click. */
export default function OfferedWords({ text, disabled, onRun }: OfferedWordsProps) {
  const offers = offersFor(text);
  if (offers.length === 0) return null;
  return (
    <div role="group" aria-label="Other words" className="flex flex-wrap items-center gap-1.5">
      <span className="text-cell text-muted">Or try</span>
      {offers.map((offer) => (
        <Button
          key={offer.word}
          disabled={disabled}
          aria-label={`Try ${offer.word}`}
          title={offer.text}
          onClick={() => onRun(offer.text)}
        >
          {offer.word}
        </Button>
      ))}
    </div>
  );
}
