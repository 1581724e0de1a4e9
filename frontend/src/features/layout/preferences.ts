/** How the page is divided, remembered in this browser. */
import { useCallback, useState } from "react";
import { readStored, writeStored } from "@/base/stored";

export interface Split {
  /** Share of the width that the conversation takes, in percent. */
  readonly percent: number;
  /** The side that has the whole width, if one has. */
  readonly maximised: "conversation" | "evidence" | null;
}

export const SPLIT_LIMITS = { min: 25, max: 75 } as const;
export const DEFAULT_SPLIT: Split = { percent: 44, maximised: null };

export function parseSplit(stored: unknown): Split | undefined {
  if (typeof stored !== "object" || stored === null || !("percent" in stored)) return undefined;
  const { percent } = stored;
  if (typeof percent !== "number" || !(percent >= SPLIT_LIMITS.min && percent <= SPLIT_LIMITS.max)) {
    return undefined;
  }
  const maximised = "maximised" in stored ? stored.maximised : null;
  return { percent, maximised: maximised === "conversation" || maximised === "evidence" ? maximised : null };
}

const readSplit = (): Split => readStored("split", parseSplit, DEFAULT_SPLIT);

export function useSplit(): readonly [Split, (change: Partial<Split>) => void] {
  const [split, setSplit] = useState(readSplit);
  const change = useCallback((part: Partial<Split>) => {
    setSplit((old) => ({ ...old, ...part }));
    writeStored("split", { ...readSplit(), ...part });
  }, []);
  return [split, change];
}

/** Where there is room for three columns, the list of conversations is open until it is closed. */
const SIDEBAR_FROM_PX = 1400;

const parseBoolean = (stored: unknown): boolean | undefined =>
  typeof stored === "boolean" ? stored : undefined;

export function useSidebar(): readonly [boolean, (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(() =>
    readStored("sidebar", parseBoolean, window.innerWidth >= SIDEBAR_FROM_PX),
  );
  const change = useCallback((next: boolean) => {
    setOpen(next);
    writeStored("sidebar", next);
  }, []);
  return [isOpen, change];
}
