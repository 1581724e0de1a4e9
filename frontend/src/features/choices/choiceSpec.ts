/**
 * What is chosen inside a view, each choice with a name and a text of its own, so that it can be kept
 * in the browser and told by the page's address.
 */

export interface Choice<T> {
  readonly fallback: T;
  /** Undefined for a text that stands for none of its values. */
  readonly parse: (text: string) => T | undefined;
  readonly format: (value: T) => string;
  /** It is about one conversation: it is gone with it, and no habit. */
  readonly isPassing?: true;
}

/** The choices of one view, by name: letters, none of the names that the address itself uses. */
export type ChoiceSpec<T> = { readonly [Name in keyof T]: Choice<T[Name]> };

/** Choices as texts; what is not said is as it is by default. */
export type ChoiceTexts = Readonly<Record<string, string>>;

export const NO_CHOICES: ChoiceTexts = {};

export const oneOf = <const T extends string | number>(values: readonly T[], fallback: T): Choice<T> => ({
  fallback,
  parse: (text) => values.find((value) => String(value) === text),
  format: String,
});

export const onOff = (fallback: boolean): Choice<boolean> => ({
  fallback,
  parse: (text) => (text === "on" ? true : text === "off" ? false : undefined),
  format: (value) => (value ? "on" : "off"),
});

export const wholeNumber = (fallback: number, min: number, max: number): Choice<number> => ({
  fallback,
  parse: (text) => within(text, min, max),
  format: String,
});

/** A layer up to `max`, or a half layer such as 6.5. */
export const layerNumber = (max: number): Choice<number> => ({
  fallback: 0,
  parse: (text) => (/^\d{1,6}(\.5)?$/.test(text) && Number(text) <= max ? Number(text) : undefined),
  format: String,
});

const NONE = "none";

const within = (text: string, min: number, max: number): number | undefined =>
  /^\d{1,6}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined;

export const passing = <T>(choice: Choice<T>): Choice<T> => ({ ...choice, isPassing: true });

/** A choice that can also be left open. */
export const orNull = <T>({ parse, format }: Choice<T>): Choice<T | null> => ({
  fallback: null,
  parse: (text) => (text === NONE ? null : parse(text)),
  format: (value) => (value === null ? NONE : format(value)),
});

/** An id that the server gave. */
export const serverId: Choice<string> = {
  fallback: "",
  parse: (text) => (/^[\w-]{1,64}$/.test(text) ? text : undefined),
  format: (value) => value,
};

/** What the texts say; a choice that is not said, or said wrongly, is as it is by default. */
export function parseChoices<T extends object>(spec: ChoiceSpec<T>, texts: ChoiceTexts): T {
  const values: Partial<T> = {};
  for (const name in spec) {
    const text = texts[name];
    const choice = spec[name];
    values[name] = (text === undefined ? undefined : choice.parse(text)) ?? choice.fallback;
  }
  // Every name of the specification has got its value.
  return values as T;
}

/** What differs from the default, as texts. */
export function formatChoices<T extends object>(spec: ChoiceSpec<T>, values: T): ChoiceTexts {
  const texts: Record<string, string> = {};
  for (const name in spec) {
    const choice = spec[name];
    const text = choice.format(values[name]);
    if (text !== choice.format(choice.fallback)) texts[name] = text;
  }
  return texts;
}

/** The texts without those that are about one conversation. */
export function lastingTexts<T extends object>(spec: ChoiceSpec<T>, texts: ChoiceTexts): ChoiceTexts {
  const lasting: Record<string, string> = {};
  for (const name in spec) {
    const text = texts[name];
    if (text !== undefined && spec[name].isPassing !== true) lasting[name] = text;
  }
  return lasting;
}

/** Names and values as this page writes them; anything else in an address is not ours. */
export const isChoiceText = (name: string, text: string): boolean =>
  /^[a-z][A-Za-z]{0,15}$/.test(name) && /^[\w.-]{1,64}$/.test(text);

/** What was stored, as far as it is a list of choices. */
export function asChoiceTexts(stored: unknown): ChoiceTexts | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  return Object.fromEntries(
    Object.entries(stored).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && isChoiceText(entry[0], entry[1]),
    ),
  );
}
