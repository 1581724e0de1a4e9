import { afterEach, expect, test, vi } from "vitest";
import { storedName } from "@/base/stored";
import { followSystemTheme, setTheme, useTheme } from "./theme";

afterEach(() => document.documentElement.removeAttribute("data-theme"));

test("the page turns dark and light with the system, until the person chooses", () => {
  let turn: (isDark: boolean) => void = () => undefined;
  vi.spyOn(window, "matchMedia").mockImplementation((query) => {
    const list = new EventTarget();
    turn = (matches) => list.dispatchEvent(Object.assign(new Event("change"), { matches }));
    return Object.assign(list, { matches: false, media: query }) as unknown as MediaQueryList;
  });
  followSystemTheme();
  turn(true);
  expect(document.documentElement).toHaveAttribute("data-theme", "dark");
  expect(useTheme.getState()).toBe("dark");
  turn(false);
  expect(document.documentElement).toHaveAttribute("data-theme", "light");
  // Following the system is no choice.
  expect(window.localStorage.getItem(storedName("theme"))).toBeNull();
  setTheme("light");
  turn(true);
  expect(document.documentElement).toHaveAttribute("data-theme", "light");
});
