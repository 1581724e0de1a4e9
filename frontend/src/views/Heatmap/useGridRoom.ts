import { useEffect, useState } from "react";

/** px of the line below the grid that stays in view with it. */
const BELOW = 28;

/**
 * The height in px that the grid can have while all above it is in view; null until it is measured.
 * The setter is the ref of the element right above it. `failure` appears above the grid as well.
 */
export function useGridRoom(failure: unknown): readonly [(above: HTMLElement | null) => void, number | null] {
  const [above, setAbove] = useState<HTMLElement | null>(null);
  const [room, setRoom] = useState<number | null>(null);
  useEffect(() => {
    const frame = above?.parentElement ?? null;
    if (above === null || frame === null) return undefined;
    const all = [...frame.children].filter((each) => each instanceof HTMLElement);
    const aboveGrid = all.slice(0, all.indexOf(above) + 1);
    const observer = new ResizeObserver(() => {
      const height = aboveGrid.reduce((sum, each) => sum + each.offsetHeight, 0);
      if (frame.clientHeight > 0) setRoom(frame.clientHeight - height - BELOW);
    });
    for (const each of [frame, ...aboveGrid]) observer.observe(each);
    return () => observer.disconnect();
  }, [above, failure]);
  return [setAbove, room];
}
