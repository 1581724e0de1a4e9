/** Files that the page gives, and programs among them, which are run. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { BACKEND, python } from "./server";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

export const folder = mkdtempSync(join(tmpdir(), "explorer-export-"));

export async function exported(page: Page, item: string | RegExp): Promise<{ path: string; name: string }> {
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: item }).click(),
  ]);
  const name = download.suggestedFilename();
  const path = join(folder, name);
  await download.saveAs(path);
  return { path, name };
}

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

const surroundings = { cwd: REPOSITORY, env: { ...process.env, HF_HUB_OFFLINE: "1" } };

/** Runs a program as a person would: in the repository, with the model that it names. */
export function runAlone(path: string): Outcome {
  const { status, stdout, stderr } = spawnSync(python(), [path], { ...surroundings, encoding: "utf8" });
  return { code: status, output: `${stdout}\n${stderr}` };
}

let runner: { readonly process: ChildProcess; readonly lines: AsyncIterator<string, undefined> } | undefined;

/** The same, but after imports that one process has made for all programs of this worker. */
export async function run(path: string): Promise<Outcome> {
  if (process.platform === "win32") return runAlone(path);
  runner ??= startRunner();
  runner.process.stdin?.write(`${path}\n`);
  const { value } = await runner.lines.next();
  if (value === undefined) throw new Error("the process that runs programs has ended");
  return JSON.parse(value) as Outcome;
}

function startRunner(): NonNullable<typeof runner> {
  const started = spawn(python(), [join(BACKEND, "tests", "run_programs.py")], {
    ...surroundings,
    stdio: ["pipe", "pipe", "inherit"],
  });
  // It ends with its input, and so with this process, which need not wait for it.
  started.unref();
  return { process: started, lines: createInterface(started.stdout)[Symbol.asyncIterator]() };
}
