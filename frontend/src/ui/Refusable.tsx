import {
  type CSSProperties,
  type MouseEvent,
  type ReactElement,
  cloneElement,
  useEffect,
  useId,
  useState,
} from "react";
import { createPortal } from "react-dom";

interface Pressable {
  readonly onClick?: (event: MouseEvent<HTMLElement>) => void;
}

interface RefusableProps {
  /** Why the control cannot act now; null or undefined where it can. */
  readonly because: string | null | undefined;
  /** A button. It keeps the focus and its place in the order of tabs. */
  readonly children: ReactElement<Pressable>;
}

/** px: room that the reason needs below the control; it stands above it where there is less. */
const ROOM_BELOW = 96;
/** px: the reason's largest width, with a margin. */
const WIDTH = 272;

/** A button that may have a reason not to act: a screen reader reads it, a press shows it to everybody. */
export function Refusable({ because, children }: RefusableProps) {
  const id = useId();
  const [place, setPlace] = useState<CSSProperties | null>(null);
  const isRefused = because !== null && because !== undefined;
  const isShown = isRefused && place !== null;

  useEffect(() => {
    if (!isShown) return undefined;
    const hide = (): void => setPlace(null);
    const events = ["pointerdown", "keydown", "scroll", "resize"];
    for (const name of events) window.addEventListener(name, hide, true);
    return () => {
      for (const name of events) window.removeEventListener(name, hide, true);
    };
  }, [isShown]);

  const refusal = {
    "aria-disabled": true,
    "aria-describedby": id,
    title: because,
    onClick: (event: MouseEvent<HTMLElement>): void => {
      event.preventDefault();
      const { top, bottom, left } = event.currentTarget.getBoundingClientRect();
      const isLow = window.innerHeight - bottom < ROOM_BELOW;
      setPlace({
        left: Math.max(8, Math.min(left, window.innerWidth - WIDTH)),
        ...(isLow ? { bottom: window.innerHeight - top + 4 } : { top: bottom + 4 }),
      });
    },
  };
  return (
    <>
      {cloneElement(children, isRefused ? refusal : {})}
      {isRefused && (
        <span id={id} className="sr-only">
          {because}
        </span>
      )}
      {isShown &&
        createPortal(
          <p
            role="status"
            style={place}
            className="fixed z-toast max-w-64 rounded-control border border-line-strong bg-raised px-2 py-1 text-label shadow-float"
          >
            {because}
          </p>,
          document.body,
        )}
    </>
  );
}
