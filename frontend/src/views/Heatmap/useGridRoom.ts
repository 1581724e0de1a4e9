import { useEffect, useState } from "react";

/** px of the line below the grid that stays in view with it. */
const BELOW = 28;

/**
 * The height in px that the grid can have while all above it is in view; null until it is measured.
 * The setter is the ref of the element above it.
 */
export function useGridRoom(): readonly [(above: HTMLElement | null) => void, number | null] {
  const [above, setAbove] = useState<HTMLElement | null>(null);
  const [room, setRoom] = useState<number | null>(null);
  useEffect(() => {
    const frame = above?.parentElement ?? null;
    if (above === null || frame === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (frame.clientHeight > 0) setRoom(frame.clientHeight - above.offsetHeight - BELOW);
    });
    observer.observe(frame);
    observer.observe(above);
    return () => observer.disconnect();
  }, [above]);
  return [setAbove, room];
}
