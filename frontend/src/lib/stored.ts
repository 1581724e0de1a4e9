/** Preferences kept in the browser. Storage can be blocked, full or hold what another version wrote. */

/** The stored value if `parse` accepts it (returns something other than undefined), else `fallback`. */
export function readStored<T>(key: string, parse: (value: unknown) => T | undefined, fallback: T): T {
  let text: string | null;
  try {
    text = window.localStorage.getItem(key);
  } catch {
    return fallback; // storage is blocked: the page works, it only does not remember
  }
  if (text === null) return fallback;
  try {
    return parse(JSON.parse(text)) ?? fallback;
  } catch {
    return parse(text) ?? fallback; // a bare word, as `theme` is for the script that runs before first paint
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    window.localStorage.setItem(key, typeof value === "string" ? value : JSON.stringify(value));
  } catch {
    return; // blocked or full: the choice holds until the page is closed
  }
}
