/** What the browser says of the window and of the person's wishes, followed while it changes. */
import { useCallback, useSyncExternalStore } from "react";
import { BREAKPOINTS_REM } from "./breakpoints";

function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (onChange: () => void): (() => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", onChange);
      return () => list.removeEventListener("change", onChange);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Whether the window is too narrow for columns side by side. */
export const useIsNarrow = (): boolean => useMediaQuery(`(width < ${BREAKPOINTS_REM.md}rem)`);

/** Whether the window is too low for two things one above the other. */
export const useIsShort = (): boolean => useMediaQuery(`(height < ${BREAKPOINTS_REM.short}rem)`);

/** Whether the window is so low that controls above the data leave too few rows of it. */
export const useIsLow = (): boolean => useMediaQuery(`(height < ${BREAKPOINTS_REM.low}rem)`);

/** Whether the window is a phone's, upright. */
export const useIsPhone = (): boolean => useMediaQuery(`(width < ${BREAKPOINTS_REM.sm}rem)`);

/** Whether a finger is what points. */
export const useIsCoarse = (): boolean => useMediaQuery("(pointer: coarse)");

/** Whether the person asked for as little motion as possible. */
export const usePrefersReducedMotion = (): boolean => useMediaQuery("(prefers-reduced-motion: reduce)");
