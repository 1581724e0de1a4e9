import { useState } from "react";
import { Button } from "@/ui/Button";
import { isTourSeen, rememberTour } from "./seen";

/** Offers the tour once; the palette and the list of keys offer it always. */
export function TourOffer({ onStart }: { readonly onStart: () => void }) {
  const [isSeen, setIsSeen] = useState(isTourSeen);
  if (isSeen) return null;
  const settle = (): void => {
    rememberTour();
    setIsSeen(true);
  };
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
      New here?
      <Button
        onClick={() => {
          settle();
          onStart();
        }}
      >
        Take the tour
      </Button>
      <Button look="quiet" onClick={settle}>
        No, thanks
      </Button>
    </p>
  );
}
