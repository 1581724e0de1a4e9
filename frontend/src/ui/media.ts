/** What the browser says of the window and of the person's wishes, followed while it changes. */
import { useCallback, useSyncExternalStore } from "react";

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

/** Whether the window is too narrow for columns side by side; the same border as the styles' `md`. */
export const useIsNarrow = (): boolean => useMediaQuery("(width < 56.25rem)");

/**
 * Whether the window is too low for two things one above the other: a phone on its side, or one whose
 * keyboard is open. The same border as the styles' `short`.
 */
export const useIsShort = (): boolean => useMediaQuery("(height < 34rem)");

/** Whether the window is so low that controls above the data leave too few rows of it; the same border as the styles' `low`. */
export const useIsLow = (): boolean => useMediaQuery("(height < 42rem)");

/** Whether the window is a phone's, upright; the same border as the styles' `sm`. */
export const useIsPhone = (): boolean => useMediaQuery("(width < 40rem)");

/** Whether a finger is what points. */
export const useIsCoarse = (): boolean => useMediaQuery("(pointer: coarse)");

/** Whether the person asked for as little motion as possible. */
export const usePrefersReducedMotion = (): boolean => useMediaQuery("(prefers-reduced-motion: reduce)");
