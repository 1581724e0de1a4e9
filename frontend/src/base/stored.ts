/** Preferences kept in the browser. Storage can be blocked, full or hold what another version wrote. */

/**
 * The name a preference is stored under. A prefix, because every page served on the same port of a machine
 * shares one storage. The script that runs before the first paint (`public/theme.js`) knows it too.
 */
export const storedName = (key: string): string => `mechanistic-explorer:${key}`;

/** The stored value if `parse` accepts it (returns something other than undefined), else `fallback`. */
export function readStored<T>(key: string, parse: (value: unknown) => T | undefined, fallback: T): T {
  const text = textOf(storedName(key));
  if (text !== null) return parsed(text, parse) ?? fallback;
  // Earlier versions had no prefix. Their value stays where it is: it may be another page's.
  const old = textOf(key);
  const value = old === null ? undefined : parsed(old, parse);
  if (old === null || value === undefined) return fallback;
  writeStored(key, old);
  return value;
}

export function writeStored(key: string, value: unknown): void {
  try {
    window.localStorage.setItem(storedName(key), typeof value === "string" ? value : JSON.stringify(value));
  } catch {
    return; // blocked or full: the choice holds until the page is closed
  }
}

function textOf(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return null; // storage is blocked: the page works, it only does not remember
  }
}

function parsed<T>(text: string, parse: (value: unknown) => T | undefined): T | undefined {
  try {
    return parse(JSON.parse(text));
  } catch {
    return parse(text); // a bare word, as `theme` is for the script that runs before first paint
  }
}
