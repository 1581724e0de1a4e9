import { expect, test } from "vitest";
import styles from "@/styles/app.css?raw";
import { BREAKPOINTS_REM } from "./breakpoints";

test("styles and scripts change the page's shape at the same borders", () => {
  const inStyles = [
    ...styles.matchAll(/--breakpoint-(\w+): ([\d.]+)rem/g),
    ...styles.matchAll(/@custom-variant (\w+) \(@media \(height < ([\d.]+)rem\)\)/g),
  ].map(([, name, rem]) => [name, Number(rem)]);
  expect(Object.fromEntries(inStyles)).toEqual(BREAKPOINTS_REM);
});

test("no other file has a border of its own", () => {
  const files = import.meta.glob<string>(["/src/**/*.{ts,tsx,css}", "!/src/**/*.test.*"], {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const own = Object.entries(files).filter(([, text]) =>
    /\((?:min-|max-)?(?:width|height)\s*(?:[<>]=?|:)\s*[\d.]+(?:rem|px)/.test(text),
  );
  expect(own.map(([path]) => path)).toEqual(["/src/styles/app.css"]);
});
