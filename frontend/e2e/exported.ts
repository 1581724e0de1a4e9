/** Files that the page gives, and programs among them, which are run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const OWN_PYTHON = join(REPOSITORY, "backend", ".venv", "bin", "python");
const PYTHON = process.env["EXPLORER_PYTHON"] ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : "python3");

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

/** Runs a script as a person would: in the repository, with the model that it names. */
export function run(path: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(PYTHON, [path], {
    cwd: REPOSITORY,
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  return { code: status, output: `${stdout}\n${stderr}` };
}
