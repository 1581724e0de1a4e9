import { defineConfig } from "@playwright/test";
import pageConfig from "../../playwright.config";

/** `npm run film`: drives the page and writes the films and the pictures in docs/. */
export default defineConfig({
  testDir: ".",
  testMatch: "*.film.ts",
  workers: 1,
  reporter: [["list"]],
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: {
    ...pageConfig.use,
    viewport: { width: 1280, height: 760 },
    trace: "off",
    actionTimeout: 30_000,
  },
});
