/** Single keys, outside of what takes text; they can be switched off (WCAG 2.1.4). Escape always works. */
import { useEffect, useRef } from "react";
import { isCommandKey, typedKey } from "@/base/keys";

export type ShortcutMap = Readonly<Record<string, () => void>>;

export function useShortcuts(keys: ShortcutMap, onEscape: () => void, isEnabled: boolean): void {
  const latest = useRef({ keys, onEscape, isEnabled });
  useEffect(() => {
    latest.current = { keys, onEscape, isEnabled };
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const key = event.defaultPrevented ? null : typedKey(event);
      if (key === null) return;
      if (key === "Escape") {
        // An open dialog or popover takes Escape for itself.
        if (document.querySelector('[role="dialog"]') === null) latest.current.onEscape();
        return;
      }
      if (!latest.current.isEnabled || takesKeys(event.target)) return;
      const action = latest.current.keys[key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** Text is typed there, or letters go to what begins with them, as in a menu. */
function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role="dialog"], [role="menu"], [role="menubar"]') !== null) return true;
  // In a list that is chosen from by letters the option has the focus; the lists of tokens keep it themselves.
  if (target.matches('[role="combobox"], [role="option"]')) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return target.isContentEditable || target.matches("textarea, select");
}

/** Ctrl-K, or ⌘K: works everywhere, also where text is being written. */
export function useCommandKey(onPress: () => void): void {
  const latest = useRef(onPress);
  useEffect(() => {
    latest.current = onPress;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isCommandKey(event)) return;
      event.preventDefault(); // some browsers go to their search field
      latest.current();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
