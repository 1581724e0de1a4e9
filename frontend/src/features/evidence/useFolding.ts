import { type UIEvent, useRef, useState } from "react";

/** px of scrolling in one direction. */
const STEP = 24;
/** px that there are to scroll, so that folding does not end the scrolling. */
const LEAST = 200;

interface Folding {
  readonly isFolded: boolean;
  /** Capturing listeners of what surrounds the scrolled. */
  readonly listeners: {
    readonly onScrollCapture: (event: UIEvent) => void;
    readonly onTouchMoveCapture: () => void;
    readonly onWheelCapture: () => void;
  };
}

/**
 * Folds the bars above what a person scrolls down, and unfolds them once it is scrolled up; also where `place`, which
 * names what is shown, becomes another. A view that scrolls by itself to what is selected folds nothing.
 */
export function useFolding(place: string): Folding {
  const [foldedAt, setFoldedAt] = useState<string | null>(null);
  const movedAt = useRef<string | null>(null);
  const seen = useRef<{ target: EventTarget | null; height: number; turn: number }>({
    target: null,
    height: 0,
    turn: 0,
  });
  const isFolded = foldedAt === place;
  const onScroll = ({ target }: UIEvent): void => {
    if (!(target instanceof HTMLElement)) return;
    const { scrollTop: top, clientHeight: height, scrollHeight } = target;
    const { current } = seen;
    const isKnown = current.target === target;
    const from = isKnown ? current.turn : 0;
    // Folding itself makes what is scrolled higher, which scrolls it where that was at its end.
    const isPushed = isKnown && current.height !== height && top + height >= scrollHeight - 1;
    const turn =
      isPushed || movedAt.current !== place ? top : isFolded ? Math.max(from, top) : Math.min(from, top);
    const unfolds = isFolded && (top < turn - STEP || top <= 0);
    const folds = !isFolded && top > turn + STEP && scrollHeight - height > LEAST;
    // From here on the other direction counts.
    seen.current = { target, height, turn: folds || unfolds ? top : turn };
    if (unfolds) setFoldedAt(null);
    else if (folds) setFoldedAt(place);
  };
  const onMove = (): void => {
    movedAt.current = place;
  };
  return {
    isFolded,
    listeners: { onScrollCapture: onScroll, onTouchMoveCapture: onMove, onWheelCapture: onMove },
  };
}
