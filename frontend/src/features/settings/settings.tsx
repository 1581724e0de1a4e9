/** What the person chose: sampling, how a new conversation starts, and how the page looks. Remembered in this browser. */
import { type ReactNode, createContext, use, useCallback, useMemo, useState } from "react";
import { readStored, writeStored } from "@/base/stored";
import { type LensKind, isLensKind } from "@/model/lenses";

export const COLOURINGS = ["none", "surprisal", "entropy", "decided"] as const;
export type Colouring = (typeof COLOURINGS)[number];

/**
 * - `reading`: laid out by its Markdown
 * - `source`: every character in the fixed pitch, without layout
 * - `plain`: running text without tokens to select
 */
export const TEXT_FORMS = ["reading", "source", "plain"] as const;
export type TextForm = (typeof TEXT_FORMS)[number];

export interface Settings {
  readonly temperature: number;
  readonly topP: number;
  /** 0 keeps the whole vocabulary. */
  readonly topK: number;
  readonly maxNewTokens: number;
  /** Null draws a new seed for each reply. */
  readonly pinnedSeed: number | null;
  readonly systemPrompt: string;
  /** Null does what the model's tokenizer does. */
  readonly bos: boolean | null;
  readonly colouring: Colouring;
  /** All template tokens; otherwise a chip for each turn stands for them. */
  readonly showTemplate: boolean;
  readonly textForm: TextForm;
  /** The lens that views read through, where the model has it. */
  readonly lens: LensKind;
  /** Whether views show half layers, where the model has them. */
  readonly halfLayers: boolean;
  /** Whether single letters work as shortcuts. */
  readonly shortcuts: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  temperature: 0.7,
  topP: 0.95,
  topK: 0,
  maxNewTokens: 64,
  pinnedSeed: null,
  systemPrompt: "",
  bos: null,
  colouring: "none",
  showTemplate: false,
  textForm: "reading",
  lens: "logit",
  halfLayers: false,
  shortcuts: true,
};

/** Bounds of the numbers, the same as the server's. */
export const LIMITS = {
  temperature: { min: 0, max: 10 },
  topP: { min: 0.01, max: 1 },
  topK: { min: 0, max: 1_000_000 },
  maxNewTokens: { min: 1, max: 4096 },
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
} as const;

const STORED_AS = "settings";

/** What is stored, field by field: a value that no longer fits is replaced by the default, not the whole. */
export function parseSettings(stored: unknown): Settings | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(stored));
  const number = (key: "temperature" | "topP" | "topK" | "maxNewTokens"): number => {
    const value = values.get(key);
    const { min, max } = LIMITS[key];
    return typeof value === "number" && value >= min && value <= max ? value : DEFAULT_SETTINGS[key];
  };
  const flag = (key: "showTemplate" | "halfLayers" | "shortcuts"): boolean => {
    const value = values.get(key);
    return typeof value === "boolean" ? value : DEFAULT_SETTINGS[key];
  };
  const seed = values.get("pinnedSeed");
  const bos = values.get("bos");
  const systemPrompt = values.get("systemPrompt");
  const lens = values.get("lens");
  return {
    temperature: number("temperature"),
    topP: number("topP"),
    topK: Math.round(number("topK")),
    maxNewTokens: Math.round(number("maxNewTokens")),
    pinnedSeed: typeof seed === "number" && Number.isSafeInteger(seed) && seed >= 0 ? seed : null,
    systemPrompt: typeof systemPrompt === "string" ? systemPrompt : "",
    bos: typeof bos === "boolean" ? bos : null,
    colouring: COLOURINGS.find((name) => name === values.get("colouring")) ?? DEFAULT_SETTINGS.colouring,
    showTemplate: flag("showTemplate"),
    textForm: TEXT_FORMS.find((name) => name === values.get("textForm")) ?? DEFAULT_SETTINGS.textForm,
    lens: isLensKind(lens) ? lens : DEFAULT_SETTINGS.lens,
    halfLayers: flag("halfLayers"),
    shortcuts: flag("shortcuts"),
  };
}

const readSettings = (): Settings => readStored(STORED_AS, parseSettings, DEFAULT_SETTINGS);

interface SettingsValue {
  readonly settings: Settings;
  /** Changes what is remembered. */
  readonly update: (change: Partial<Settings>) => void;
  /** Takes what an opened link says, until the page is closed or the person chooses otherwise. */
  readonly visit: (said: Partial<Settings>) => void;
}

const SettingsContext = createContext<SettingsValue | null>(null);

export function SettingsProvider({ children }: { readonly children: ReactNode }) {
  const [settings, setSettings] = useState(readSettings);
  const visit = useCallback((said: Partial<Settings>) => setSettings((old) => ({ ...old, ...said })), []);
  const update = useCallback(
    (change: Partial<Settings>) => {
      visit(change);
      // Merge into the stored settings: another tab may have changed others, and links are not remembered.
      writeStored(STORED_AS, { ...readSettings(), ...change });
    },
    [visit],
  );
  const value = useMemo(() => ({ settings, update, visit }), [settings, update, visit]);
  return <SettingsContext value={value}>{children}</SettingsContext>;
}

export function useSettings(): SettingsValue {
  const value = use(SettingsContext);
  if (value === null) throw new Error("useSettings needs a SettingsProvider above it");
  return value;
}
