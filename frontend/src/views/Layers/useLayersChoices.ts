import { useCallback, useState } from "react";
import { readStored, writeStored } from "@/lib/stored";

export const SCOPES = ["reply", "all"] as const;

export interface LayersChoices {
  /** Which tokens are shown: those that the model wrote, or all of them. */
  readonly scope: (typeof SCOPES)[number];
  /** Words are told apart by what they equal. */
  readonly hasMarks: boolean;
  /** What the layer changed is marked. */
  readonly hasChanges: boolean;
  /** The token that stands in the text is written under each word that differs from it. */
  readonly hasActual: boolean;
  /** The ground of a word is as strong as its probability. */
  readonly hasTint: boolean;
}

const STORED_AS = "layers";
const DEFAULT_CHOICES: LayersChoices = {
  scope: "reply",
  hasMarks: true,
  hasChanges: true,
  hasActual: true,
  hasTint: false,
};

/** What is stored, as far as it still fits. */
export function parseChoices(stored: unknown): LayersChoices | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(stored));
  const flag = (key: "hasMarks" | "hasChanges" | "hasActual" | "hasTint"): boolean => {
    const value = values.get(key);
    return typeof value === "boolean" ? value : DEFAULT_CHOICES[key];
  };
  return {
    scope: SCOPES.find((scope) => scope === values.get("scope")) ?? DEFAULT_CHOICES.scope,
    hasMarks: flag("hasMarks"),
    hasChanges: flag("hasChanges"),
    hasActual: flag("hasActual"),
    hasTint: flag("hasTint"),
  };
}

/** What of the conversation is shown and how it is marked, remembered in this browser. */
export function useLayersChoices(): [LayersChoices, (change: Partial<LayersChoices>) => void] {
  const [choices, setChoices] = useState(() => readStored(STORED_AS, parseChoices, DEFAULT_CHOICES));
  const change = useCallback((part: Partial<LayersChoices>) => {
    setChoices((before) => {
      const next = { ...before, ...part };
      writeStored(STORED_AS, next);
      return next;
    });
  }, []);
  return [choices, change];
}
