/** Single keys, outside of what takes text; they can be switched off (WCAG 2.1.4). Escape always works. */
import { useEffect, useRef } from "react";

export type ShortcutMap = Readonly<Record<string, () => void>>;

export function useShortcuts(keys: ShortcutMap, onEscape: () => void, isEnabled: boolean): void {
  const latest = useRef({ keys, onEscape, isEnabled });
  useEffect(() => {
    latest.current = { keys, onEscape, isEnabled };
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
        return;
      if (event.key === "Escape") {
        // An open dialog or popover takes Escape for itself.
        if (document.querySelector('[role="dialog"]') === null) latest.current.onEscape();
        return;
      }
      if (!latest.current.isEnabled || takesText(event.target)) return;
      const action = latest.current.keys[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}

function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role="dialog"]') !== null) return true;
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
      if (event.key.toLowerCase() !== "k" || event.isComposing) return;
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault(); // some browsers go to their search field
      latest.current();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
