import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { COMPARE_TIMELINE } from "../src/features/export/compareTimelineScript";
import { COMPARE } from "../src/features/export/verdictScript";
import { exported, folder, run, runAlone } from "./exported";
import type { ExplorerPage } from "./page";
import { comparePrompt, expect, test, pick } from "./page";

test.use({ colorScheme: "dark" });

async function openView(explorer: ExplorerPage, page: Page, view: string): Promise<void> {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.say("The capital of France is");
  await explorer.tokens.filter({ hasText: "France" }).first().click();
  await page.getByRole("tab", { name: view }).click();
  if (view === "Heatmap" || view === "Layers") {
    await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  } else if (view === "Trajectories") {
    await expect(
      explorer.evidence.getByRole("region", { name: "Values" }).getByRole("rowheader"),
    ).toHaveCount(5);
  } else if (view === "Compare") {
    await comparePrompt(explorer, "The capital of the Netherlands is", "none");
    await expect(explorer.evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();
  } else {
    await expect(explorer.evidence.getByRole("row")).toHaveCount(14);
  }
}

for (const view of ["Standard", "Heatmap", "Trajectories", "Layers", "Compare"]) {
  test(`the script of the ${view} view computes the numbers again, and fails where one was changed`, async ({
    explorer,
    page,
  }) => {
    await openView(explorer, page, view);
    const { path, name } = await exported(page, /^Python script/);
    expect(name).toMatch(new RegExp(`^explorer_[\\w.-]+_${view.toLowerCase()}_[\\w.-]+\\.py$`));

    // One of them as a person runs it, from nothing.
    const { code, output } = view === "Standard" ? runAlone(path) : await run(path);
    expect(output).toMatch(/All \d+ numbers are those of the page, to 0\.0001\./);
    expect(code).toBe(0);

    // One probability of the data, off by 2e-4.
    const script = readFileSync(path, "utf8");
    let changed = 0;
    const wrong = script.replace(
      /^( {4}\(\d+, \d+, \[\d+\], )([\d.e-]+)/m,
      (_, before: string, shown: string) => {
        changed += 1;
        return `${before}${Number(shown) + 2e-4}`;
      },
    );
    expect(changed).toBe(1);
    writeFileSync(`${path}.wrong.py`, wrong);
    const failed = await run(`${path}.wrong.py`);
    expect(failed.output).toMatch(/1 of \d+ numbers differ/);
    expect(failed.code).toBe(1);
    expect(explorer.complaints).toEqual([]);
  });
}

test("the notebook of a fitted lens, and the script that was copied, compute the numbers again", async ({
  explorer,
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openView(explorer, page, "Standard");
  await pick(explorer.evidence.getByRole("combobox", { name: "Lens" }), "tuned");
  await expect(explorer.evidence.getByRole("row")).toHaveCount(14);
  const { path, name } = await exported(page, /^Notebook/);
  expect(name).toMatch(/_tuned\.ipynb$/);
  const notebook = JSON.parse(readFileSync(path, "utf8")) as {
    cells: { cell_type: string; source: string[] }[];
  };
  const code = notebook.cells.filter((cell) => cell.cell_type === "code").map((cell) => cell.source.join(""));
  writeFileSync(`${path}.py`, code.join("\n\n"));
  expect(await run(`${path}.py`)).toMatchObject({ code: 0 });

  await pick(explorer.evidence.getByRole("combobox", { name: "Lens" }), "jacobian");
  await expect(page).toHaveURL(/lens=jacobian/);
  await expect(explorer.evidence.locator("table[aria-busy=false]")).toBeVisible();
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: /^Copy as code/ }).click();
  await expect(page.getByText(/^Copied a Python script/)).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("jacobian");
  writeFileSync(join(folder, "copied.py"), copied);
  expect(await run(join(folder, "copied.py"))).toMatchObject({ code: 0 });
});

test("a figure is drawn for its width, in the chosen theme, with the page's fonts in it", async ({
  explorer,
  page,
}) => {
  await openView(explorer, page, "Heatmap");
  // The dialog hides them.
  const count = await explorer.tokens.count();
  const dialog = await explorer.openFigure();
  await dialog.getByRole("radio", { name: "Page" }).click();
  await dialog.getByRole("button", { name: "All" }).click();
  await expect(dialog.getByText(/^170 × \d+ mm/)).toBeVisible();
  await expect(dialog.getByRole("img", { name: "Layers by tokens" })).toBeVisible();
  const svg = (await explorer.savedFigure("SVG")).toString();
  expect(svg.match(/<rect class="cell"/g)).toHaveLength(count * 13);
  for (const text of ["·France", "Top-1 probability", "embed", "logit lens", "probability, 0 to 1"]) {
    expect(svg).toContain(text);
  }
  expect(svg).toContain('width="170mm"');
  // The page is dark; the figure is what was chosen.
  expect(svg).toMatch(/<rect width="[\d.]+" height="[\d.]+" fill="#ffffff"/);

  const png = await explorer.savedFigure("PNG");
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect(png.readUInt32BE(16)).toBe(2008);
  // 300 dots an inch, in metres.
  expect(png.subarray(37, 41).toString()).toBe("pHYs");
  expect(png.readUInt32BE(41)).toBe(11_811);

  const drawn = (source: string): Promise<string> =>
    page.evaluate(async (text) => {
      const picture = new Image();
      picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      await picture.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.width, picture.height];
      canvas.getContext("2d")?.drawImage(picture, 0, 0);
      return canvas.toDataURL();
    }, source);
  expect(await drawn(svg.replace(/<style>.*<\/style>/, ""))).not.toBe(await drawn(svg));

  // What was chosen is there the next time, and the focus goes back.
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Export" })).toBeFocused();
  await explorer.openFigure();
  await expect(dialog.getByRole("radio", { name: "Page" })).toBeChecked();
  expect(explorer.complaints).toEqual([]);
});

test("the menu is worked by keyboard, and says when there is nothing to export", async ({
  explorer,
  page,
}) => {
  const button = page.getByRole("button", { name: "Export" });
  await button.press("Enter");
  await expect(page.getByText("There is nothing to export yet.")).toBeVisible();
  await expect(page.getByRole("menuitem", { name: /^CSV/ })).toBeDisabled();
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();

  await openView(explorer, page, "Standard");
  await button.press("Enter");
  const csv = page.getByRole("menuitem", { name: /^CSV/ });
  await expect(csv).toBeEnabled();
  // The menu takes the focus a moment after it is there.
  await expect(async () => {
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await expect(csv).toBeFocused({ timeout: 1000 });
  }).toPass();
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
  await expect(page.getByText(/^Saved explorer_/)).toBeVisible();
});

test("ranks and divergences of logits in the hundreds are compared to the precision of float32", async () => {
  // By how much the logit of another token is ahead of the actual one's, and a divergence is off.
  const verdict = async (gap: number): Promise<string> => {
    const path = join(folder, `large-logits-${gap}.py`);
    const program = [
      "import torch",
      "TOLERANCE = 1e-4",
      "class tokenizer:",
      "    decode = str",
      `def log_probs(captured, lens, position):`,
      `    return torch.tensor([[0, -600, -600 + ${gap}]] * 2).double().log_softmax(-1)`,
      "def row(layer):",
      "    return layer",
      ...COMPARE,
      ...COMPARE_TIMELINE,
      `compare_timeline("", None, None, [(0, 0, [1], 0.0, 2)], [(0, 0, 0.0, ${gap})])`,
      'print(n_compared, "compared,", n_different, "different")',
    ];
    writeFileSync(path, program.join("\n"));
    return (await run(path)).output;
  };
  expect(await verdict(0.001)).toContain("4 compared, 0 different");
  expect(await verdict(0.01)).toContain("4 compared, 2 different");
});
