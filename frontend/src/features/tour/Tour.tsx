import clsx from "clsx";
import { type CSSProperties, useEffect, useId, useRef, useState } from "react";
import { Button, IconButton } from "@/ui/Button";
import { useIsCoarse } from "@/ui/media";
import { rememberTour } from "./seen";
import { TOUR } from "./steps";
import { type TourExample, useTourExample } from "./useTourExample";

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const CARD = { width: 320, height: 190 } as const;
const GAP = 10;

/** The tour through a worked example that is really run. */
export default function Tour({ onClose }: { readonly onClose: () => void }) {
  return <TourCard {...useTourExample()} isTouch={useIsCoarse()} onClose={onClose} />;
}

interface TourCardProps extends TourExample {
  readonly isTouch: boolean;
  readonly onClose: () => void;
}

/** A few words beside what they are about. The page stays as usable as without it. */
export function TourCard({ isReady, error, isTouch, onClose }: TourCardProps) {
  const [at, setAt] = useState(0);
  const card = useRef<HTMLElement>(null);
  const titleId = useId();
  const step = TOUR[at];
  const box = usePlace(isReady ? (step?.place ?? null) : null);

  useEffect(() => {
    rememberTour();
    card.current?.focus();
  }, []);

  // Elsewhere Escape stops the reply, so only the card's own is taken.
  useEffect(() => {
    const own = card.current;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      onClose();
    };
    own?.addEventListener("keydown", onKeyDown);
    return () => own?.removeEventListener("keydown", onKeyDown);
  }, [onClose]);

  if (step === undefined) return null;
  const isLast = at === TOUR.length - 1;
  return (
    <>
      {box !== null && (
        <div
          aria-hidden="true"
          className="pointer-events-none fixed z-tour rounded-control border-2 border-accent"
          style={{ left: box.left - 3, top: box.top - 3, width: box.width + 6, height: box.height + 6 }}
        />
      )}
      <section
        ref={card}
        tabIndex={-1}
        aria-labelledby={titleId}
        className="fixed z-tour w-80 max-w-[calc(100vw-1rem)] rounded-control border border-line bg-raised p-3 shadow-float outline-none"
        style={cardStyle(box)}
      >
        <div aria-live="polite">
          <div className="flex items-start justify-between gap-2">
            <h2 id={titleId} className="pt-1.5 text-title font-semibold">
              {isReady ? step.title : "The tour runs an example"}
            </h2>
            <IconButton icon="close" label="Skip the tour" onClick={onClose} />
          </div>
          {isReady ? (
            <p className="mt-1">{isTouch ? (step.touchText ?? step.text) : step.text}</p>
          ) : error === null ? (
            <p className="mt-1">
              The model is answering it, and its layers are read. The tour goes on by itself.
            </p>
          ) : (
            <p className="mt-1 text-danger">The example could not be run. {error.message}</p>
          )}
          {isReady && box === null && (
            <p className="mt-1 text-muted">
              It is not on the screen now; open the evidence of a token to see it.
            </p>
          )}
        </div>
        <div className={clsx("mt-3 flex items-center gap-2", !isReady && "hidden")}>
          <span className="mr-auto text-label text-muted">
            {at + 1} of {TOUR.length}
          </span>
          {at > 0 && (
            <Button look="quiet" onClick={() => setAt(at - 1)}>
              Back
            </Button>
          )}
          <Button look="primary" onClick={() => (isLast ? onClose() : setAt(at + 1))}>
            {isLast ? "Done" : "Next"}
          </Button>
        </div>
      </section>
    </>
  );
}

/** Where a place is on the screen, followed while the page moves; null while it is not to be seen. */
function usePlace(place: string | null): Box | null {
  const [box, setBox] = useState<Box | null>(null);
  useEffect(() => {
    let frame = 0;
    let found: Element | null = null;
    const look = (): void => {
      const element = place === null ? null : document.querySelector(place);
      if (element !== found) element?.scrollIntoView({ block: "nearest", inline: "nearest" });
      found = element;
      const seen = element?.getBoundingClientRect();
      const next = seen === undefined || seen.width === 0 ? null : within(seen);
      setBox((before) => (isSame(before, next) ? before : next));
      frame = requestAnimationFrame(look);
    };
    look();
    return () => cancelAnimationFrame(frame);
  }, [place]);
  return box;
}

/** What of a box is inside the window, so that its outline is. */
function within({ left, top, right, bottom }: DOMRect): Box {
  const edge = 4;
  const x = Math.max(edge, left);
  const y = Math.max(edge, top);
  return {
    left: x,
    top: y,
    width: Math.max(0, Math.min(window.innerWidth - edge, right) - x),
    height: Math.max(0, Math.min(window.innerHeight - edge, bottom) - y),
  };
}

const isSame = (a: Box | null, b: Box | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    a.left === b.left &&
    a.top === b.top &&
    a.width === b.width &&
    a.height === b.height);

/** Below its place, else above it, else in its lower corner; in the corner of the window where there is none. */
function cardStyle(box: Box | null): CSSProperties {
  if (box === null) return { left: 8, bottom: 8 };
  const left = Math.max(8, Math.min(box.left, window.innerWidth - CARD.width - 8));
  const below = box.top + box.height + GAP;
  if (below + CARD.height <= window.innerHeight) return { left, top: below };
  const above = window.innerHeight - box.top + GAP;
  if (above + CARD.height <= window.innerHeight) return { left, bottom: above };
  return { right: 16, bottom: 16 };
}
