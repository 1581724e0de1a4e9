/** Another model is loaded from the page, and the first one again. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { conversationOf, lensOf } from "./api";
import { expectSameNumbers, numbers } from "./numbers";
import { expect, test } from "./page";
import { BACKEND, python, startServer } from "./server";

const SAVE =
  "import sys, pathlib, tests.engine.model_folders as f; f.save_tiny_gpt2(pathlib.Path(sys.argv[1]))";

test("a switch to another model and back keeps each number with the model that computed it", async ({
  explorer,
  page,
}) => {
  const folder = mkdtempSync(join(tmpdir(), "models-"));
  execFileSync(python(), ["-c", SAVE, join(folder, "small")], { cwd: BACKEND, stdio: "ignore" });
  const server = await startServer("memory", undefined, { EXPLORER_MODELS_DIR: folder });
  const model = page.getByRole("button", { name: /^Model:/ });
  const list = page.getByRole("navigation", { name: "Conversations" });
  try {
    await page.addInitScript(() => localStorage.setItem("mechanistic-explorer:opening", "over"));
    await page.goto(server.url);
    await expect(page.getByText("Ready", { exact: true })).toBeVisible();
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
    await explorer.say("The sea is");
    await explorer.tokens.nth(5).click();
    const before = await numbers(explorer);
    const first = await conversationOf(page);

    await model.click();
    await page.getByRole("button", { name: "Load small", exact: true }).click();
    // The conversation that is shown belongs to the other model, and nothing of it stays in view.
    await expect(page.getByText("This conversation was held with")).toBeVisible();
    await expect(model).toContainText("small");
    await expect(explorer.tokens).toHaveCount(0);
    await page.keyboard.press("Escape");
    await list.getByRole("button", { name: "New" }).click();
    await explorer.say("The sea is");
    await explorer.tokens.nth(5).click();
    const other = await numbers(explorer);
    const read = await lensOf(page, { positions: [4, 5], top_k: 1 });
    expect(read.model_identity.name).toBe("small");
    expect(read.layers).toHaveLength(3);
    expect(other).not.toBe(before);

    await list.getByRole("button", { name: "The sea is embedded" }).click();
    await page.getByRole("button", { name: "Load embedded", exact: true }).click();
    await expect(model).toContainText("embedded");
    await expect.poll(() => conversationOf(page)).toBe(first);
    await explorer.tokens.nth(5).click();
    await expect(async () => expectSameNumbers(await numbers(explorer), before)).toPass();
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});
