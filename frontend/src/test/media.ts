/** Answers media queries as a screen would for which these hold. */
import { vi } from "vitest";

export const matchMedia = (holds: (query: string) => boolean): void => {
  vi.spyOn(window, "matchMedia").mockImplementation(
    (query) =>
      ({
        matches: holds(query),
        addEventListener: () => undefined,
        removeEventListener: () => undefined,
      }) as unknown as MediaQueryList,
  );
};
