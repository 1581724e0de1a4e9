/**
 * Keeps the place of the keyboard when the control that has the focus goes away, as Regenerate does while
 * the reply is written: the focus would fall to the page, and Tab begin at its top again. A region names
 * with `data-focus-home` what takes it, as a selector.
 */
import { useEffect } from "react";

export function useKeptFocus(): void {
  useEffect(() => {
    let focused: Element | null = null;
    let regions: readonly HTMLElement[] = [];
    const onFocus = ({ target }: FocusEvent): void => {
      if (!(target instanceof Element) || target === document.body) return;
      focused = target;
      // What opens in a layer of its own, as a popover, belongs to where its button is.
      const around = regionsOf(target);
      if (around.length > 0) regions = around;
    };
    const onChange = (): void => {
      if (focused === null || (focused.isConnected && !focused.matches(":disabled"))) return;
      const now = document.activeElement;
      if (now !== null && now !== document.body && now !== focused) return;
      for (const region of regions) {
        const home = region.isConnected ? region.querySelector(region.dataset["focusHome"] ?? "") : null;
        if (!(home instanceof HTMLElement) || opensKeyboard(home)) continue;
        home.focus({ preventScroll: true });
        return;
      }
    };
    const observer = new MutationObserver(onChange);
    observer.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["disabled"],
    });
    document.addEventListener("focusin", onFocus);
    return () => {
      observer.disconnect();
      document.removeEventListener("focusin", onFocus);
    };
  }, []);
}

/** The regions around an element, the nearest first. */
function regionsOf(element: Element): HTMLElement[] {
  const region = element.closest("[data-focus-home]");
  if (!(region instanceof HTMLElement)) return [];
  return [region, ...(region.parentElement === null ? [] : regionsOf(region.parentElement))];
}

/** On a screen that is touched, a field for text brings up the keyboard, which nobody asked for. */
const opensKeyboard = (element: HTMLElement): boolean =>
  element.matches("textarea, input") && window.matchMedia("(pointer: coarse)").matches;
