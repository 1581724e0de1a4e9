import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";
import { N_SERVERS } from "./e2e/server";

/** The browser named by EXPLORER_CHROMIUM, else an installed one, else (undefined) Playwright's own. */
const executablePath =
  process.env["EXPLORER_CHROMIUM"] ??
  [
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find((path) => existsSync(path));

export default defineConfig({
  testDir: "e2e",
  testMatch: "*.spec.ts",
  globalSetup: "./e2e/server.ts",
  // One worker for each server: a model answers one request at a time. Tests of a file stay in order.
  workers: N_SERVERS,
  fullyParallel: false,
  projects: [{ name: "page" }],
  forbidOnly: process.env["CI"] !== undefined,
  // A busy machine may stall for longer than a test waits. What passes only the second time is named as flaky.
  retries: 1,
  reporter: [["list"]],
  // Generous: what passes does not wait for them, and a machine that is busy with other work does.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    trace: "on-first-retry",
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      // In a container Chromium runs as root, which its sandbox refuses.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
