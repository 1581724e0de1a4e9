import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { conversationOf, get, selectedIndex } from "./api";
import type { ExplorerPage } from "./page";
import { expect, seriousViolations, test } from "./page";

const OWN_PYTHON = fileURLToPath(new URL("../../backend/.venv/bin/python", import.meta.url));
const PYTHON = process.env["EXPLORER_PYTHON"] ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : "python3");
const GREEDY = { Temperature: "0", "Max new tokens": "10" };

interface Note {
  readonly start: number;
  readonly end: number;
  readonly layer: number | null;
  readonly text: string;
}

/** What the server holds of a branch; that of the address unless another is named. */
async function heldNotes(page: Page, branchId?: string): Promise<Note[]> {
  const id = branchId ?? (await conversationOf(page));
  return (await get<{ notes: Note[] }>(page, `/api/conversations/${id}`)).notes;
}

const note = (start: number, end: number, text: string, layer: number | null = null): Note => ({
  start,
  end,
  layer,
  text,
});

const editor = (page: Page) => page.getByRole("dialog", { name: "New note" });
const list = (page: Page) => page.getByRole("region", { name: "Notes" });
const noted = ({ tokens }: ExplorerPage) =>
  tokens.and(tokens.page().getByRole("option", { name: /has a note$/ }));

/** Writes into the open editor and saves by keyboard. */
async function write(page: Page, text: string): Promise<void> {
  await expect(page.getByRole("textbox", { name: "Text of the note" })).toBeFocused();
  await page.keyboard.type(text);
  await page.keyboard.press("Control+Enter");
  await expect(editor(page)).toBeHidden();
}

async function begin(explorer: ExplorerPage): Promise<void> {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
}

/** Clicks the middle of a cell, which must be in view. */
async function clickCell(explorer: ExplorerPage, position: number, layer: number): Promise<void> {
  const grid = explorer.evidence.getByRole("grid");
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  // Labels take 68 px at the left and heads 56 at the top; a cell is 64 by 22.
  const box = await grid.boundingBox();
  if (box === null) throw new Error("the grid is not drawn");
  await explorer.page.mouse.click(box.x + 68 + (position + 0.5) * 64, box.y + 56 + (12 - layer + 0.5) * 22);
}

test("notes on a token, a cell and ranges are written, kept, and found again", async ({ explorer, page }) => {
  await begin(explorer);
  // A token, by keyboard.
  await explorer.tokens.nth(3).click();
  await page.keyboard.press("n");
  await expect(editor(page)).toContainText("index 3");
  await write(page, "A token.");
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "A token.")]);

  // A cell, from the heatmap: what selecting it names is where the note is.
  await page.getByRole("tab", { name: "Heatmap" }).click();
  await clickCell(explorer, 4, 9);
  await expect(page).toHaveURL(/[?&]t=5&l=9(&|$)/);
  await page.keyboard.press("n");
  await expect(editor(page)).toContainText("index 5, at layer 9");
  await write(page, "A cell.");
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "A token."), note(5, 6, "A cell.", 9)]);
  await expect(explorer.evidence.getByRole("region", { name: "Cell" })).toContainText("note: A cell.");
  await clickCell(explorer, 2, 9);
  const corners = (positions: number[]) =>
    explorer.evidence
      .locator("canvas")
      .last()
      .evaluate((canvas, all) => {
        const { data } = (canvas as HTMLCanvasElement)
          .getContext("2d")
          ?.getImageData(0, 0, canvas.clientWidth, canvas.clientHeight) ?? { data: [] };
        const ink = (x: number, y: number) =>
          data
            .slice(4 * (y * canvas.clientWidth + x))
            .slice(0, 3)
            .join();
        return all.map((position) => ink(68 + position * 64 + 1, 56 + 3 * 22 + 1));
      }, positions);
  const ink = "27,32,38"; // --text of the light theme
  await expect.poll(() => corners([4])).toEqual([ink]);
  await expect.poll(() => corners([0, 1, 3, 5])).not.toContain(ink);

  // A range by keyboard, one by Shift and a click, one by selecting text.
  await explorer.tokens.nth(1).click();
  await page.keyboard.press("Shift+BracketRight");
  await page.keyboard.press("Shift+BracketRight");
  await page.keyboard.press("Shift+BracketLeft");
  await expect(explorer.evidence.getByText("Range of 2 tokens, 1 to 2")).toBeVisible();
  await page.keyboard.press("n");
  await write(page, "By keyboard.");
  await explorer.tokens.nth(10).click();
  await explorer.tokens.nth(7).click({ modifiers: ["Shift"] });
  await explorer.evidence.getByRole("button", { name: "Note", exact: true }).click();
  await expect(editor(page)).toContainText("on 4 tokens, 7 to 10");
  await write(page, "By mouse.");
  const [from, to] = [await explorer.tokens.nth(4).boundingBox(), await explorer.tokens.nth(6).boundingBox()];
  if (from === null || to === null) throw new Error("no tokens");
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
  // Pressing the button must not take the selection away.
  await explorer.evidence.getByRole("button", { name: "Note", exact: true }).click();
  await expect(editor(page)).toContainText("on 3 tokens, 4 to 6");
  await write(page, "By selecting text.");

  const all = [
    note(1, 3, "By keyboard."),
    note(3, 4, "A token."),
    note(4, 7, "By selecting text."),
    note(5, 6, "A cell.", 9),
    note(7, 11, "By mouse."),
  ];
  const sorted = async () => (await heldNotes(page)).sort((a, b) => a.start - b.start);
  await expect.poll(sorted).toEqual(all);
  await expect(noted(explorer)).toHaveCount(10);

  await page.reload();
  await expect(noted(explorer)).toHaveCount(10);
  await page.getByRole("button", { name: "Notes 5" }).click();
  const items = list(page).getByRole("listitem");
  await expect(items).toHaveCount(5);
  for (const [i, { text }] of all.entries()) await expect(items.nth(i)).toContainText(text);
  // Going to a cell keeps the view, and its address is a permalink.
  await list(page)
    .getByRole("button", { name: /A cell\.$/ })
    .click();
  await expect(page).toHaveURL(/[?&]t=5&l=9(&|$)/);
  await expect(page.getByRole("tab", { name: "Heatmap" })).toHaveAttribute("aria-selected", "true");
  const permalink = page.url();
  const other = await page.context().newPage();
  await other.goto(permalink);
  await expect(other.getByRole("list", { name: "Notes on this token" })).toContainText("A cell.");
  await other.close();
  expect(explorer.complaints).toEqual([]);
});

test("a note is changed, deleted and brought back", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(3).click();
  await page.keyboard.press("n");
  await write(page, "First thought.");
  await explorer.evidence.getByRole("button", { name: /^Change the note on/ }).click();
  const dialog = page.getByRole("dialog", { name: "Change the note" });
  await dialog.getByRole("textbox").fill("Second thought.\nWith a line more.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "Second thought.\nWith a line more.")]);

  await page.getByRole("button", { name: "Notes 1" }).click();
  await list(page)
    .getByRole("button", { name: /^Delete the note on/ })
    .click();
  await expect(noted(explorer)).toHaveCount(0);
  await expect.poll(() => heldNotes(page)).toEqual([]);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(noted(explorer)).toHaveCount(1);
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "Second thought.\nWith a line more.")]);

  // Many in a row: none is lost to another's saving.
  for (let i = 0; i < 6; i += 1) {
    await page.keyboard.press("]");
    await page.keyboard.press("n");
    await write(page, `Number ${i}.`);
  }
  await expect.poll(async () => (await heldNotes(page)).length).toBe(7);
  expect(explorer.complaints).toEqual([]);
});

test("a branch takes over the notes on what it shares; a file carries all of them", async ({
  explorer,
  page,
}) => {
  await begin(explorer);
  const title = "The capital of France is";
  await explorer.tokens.nth(3).click();
  await page.keyboard.press("n");
  await write(page, "Shared.");
  await explorer.reply().getByRole("option").last().click();
  const last = await selectedIndex(page);
  await page.keyboard.press("n");
  await write(page, "Of the first reply.");
  await expect.poll(async () => (await heldNotes(page)).length).toBe(2);
  const first = await conversationOf(page);

  await page.getByRole("button", { name: "Regenerate" }).click();
  await expect(page.getByRole("button", { name: /^Branch 2 of 2/ })).toBeVisible();
  await explorer.settled();
  await expect(page.getByRole("button", { name: "Notes 1" })).toBeVisible();
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "Shared.")]);
  await explorer.tokens.nth(4).click();
  await page.keyboard.press("n");
  await write(page, "Of the second.");
  await expect.poll(async () => (await heldNotes(page)).length).toBe(2);
  expect(await heldNotes(page, first)).toEqual([
    note(3, 4, "Shared."),
    note(last, last + 1, "Of the first reply."),
  ]);

  const conversations = page.getByRole("navigation", { name: "Conversations" });
  await conversations.getByRole("button", { name: title, exact: true }).first().hover();
  await conversations
    .getByRole("button", { name: `More for ${title}` })
    .first()
    .click();
  const downloading = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export" }).click();
  const path = await (await downloading).path();
  const exported = await conversationOf(page);
  await page.getByLabel("File of a conversation").setInputFiles(path);
  await expect.poll(() => conversationOf(page)).not.toBe(exported);
  await expect(page.getByRole("button", { name: "Notes 2" })).toBeVisible();
  await expect(noted(explorer)).toHaveCount(2);
  const texts = (await heldNotes(page)).map(({ text }) => text);
  expect(["Of the first reply.", "Of the second."]).toContain(texts[1]);
  await page.getByRole("button", { name: /^(Previous|Next) branch$/, disabled: false }).click();
  await expect(page.getByRole("button", { name: "Notes 2" })).toBeVisible();
  await expect.poll(async () => (await heldNotes(page)).map(({ text }) => text)).not.toEqual(texts);
  expect(explorer.complaints).toEqual([]);
});

test("two pages that save in the same moment keep both notes", async ({ explorer, page, context }) => {
  await begin(explorer);
  const id = await conversationOf(page);
  const other = await context.newPage();
  await other.goto(`${new URL(page.url()).origin}/?c=${id}`);
  await expect(other.getByRole("listbox", { name: "Tokens of the conversation" })).toBeVisible();
  // Neither writes before both have read the same list.
  const waiting: (() => void)[] = [];
  const refusals: string[] = [];
  for (const each of [page, other]) {
    let isFirst = true;
    await each.route("**/api/conversations/*", async (route) => {
      if (route.request().method() === "PATCH" && isFirst) {
        isFirst = false;
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === 2) for (const go of waiting) go();
        });
      }
      await route.continue();
    });
    each.on("response", async (answer) => {
      if (answer.status() === 409) refusals.push(await answer.text());
    });
  }
  for (const [each, index] of [[page, 3] as const, [other, 5] as const]) {
    const option = each.getByRole("listbox", { name: "Tokens of the conversation" }).getByRole("option");
    await option.nth(index).click();
    await each.keyboard.press("n");
    await write(each, `On token ${index}.`);
  }
  await expect
    .poll(async () => (await heldNotes(page)).map(({ text }) => text).sort())
    .toEqual(["On token 3.", "On token 5."]);
  await expect.poll(() => refusals.length).toBe(1);
  expect(refusals[0]).toContain("annotations_changed");
  for (const each of [page, other]) await expect(each.getByRole("alert")).toHaveCount(0);
});

test("a note during a reply is saved when it has ended", async ({ explorer, page }) => {
  await explorer.beginLongReply("This is a long story.");
  await expect.poll(() => explorer.reply().getByRole("option").count()).toBeGreaterThan(3);
  await explorer.tokens.nth(3).click();
  await page.keyboard.press("n");
  await write(page, "While it is being written.");
  await page.keyboard.press("Escape");
  await expect(page.getByText("Stopped; the text so far is kept.")).toBeVisible();
  await expect.poll(() => heldNotes(page)).toEqual([note(3, 4, "While it is being written.")]);
  await expect(page.getByText("Your notes are not saved yet")).toHaveCount(0);
});

test("the script with a hostile note is Python, and says the note", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(3).click();
  await expect(explorer.evidence.getByRole("row")).toHaveCount(14);
  await page.keyboard.press("n");
  await page.getByRole("textbox", { name: "Text of the note" }).fill("\"\"\"\nimport antigravity \\\n'''");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /^Python script/ }).click(),
  ]);
  const path = join(mkdtempSync(join(tmpdir(), "explorer-notes-")), "script.py");
  await download.saveAs(path);
  expect(readFileSync(path, "utf8")).toContain("#   import antigravity");
  const imports =
    "import ast, sys; print(*(n.names[0].name for n in ast.walk(ast.parse(open(sys.argv[1]).read())) if isinstance(n, ast.Import)))";
  const { stdout, status } = spawnSync(PYTHON, ["-c", imports, path], { encoding: "utf8" });
  expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: "sys nnsight torch" });
});

// Each theme and each width once: colours do not depend on the width, nor places on the theme.
const LOOKS = [
  { theme: "light", name: "wide", viewport: { width: 1440, height: 900 } },
  { theme: "dark", name: "phone", viewport: { width: 390, height: 844 } },
] as const;
for (const { theme, name, viewport } of LOOKS) {
  test.describe(`${theme}, ${name}`, () => {
    test.use({ colorScheme: theme, viewport });

    test("nothing about notes is a serious violation, or wider than the window", async ({
      explorer,
      page,
    }) => {
      const check = async (): Promise<void> => {
        expect(await seriousViolations(page)).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width).toBeLessThanOrEqual(viewport.width);
      };
      await begin(explorer);
      await page.getByRole("button", { name: "Notes" }).click();
      await check(); // the empty list
      await explorer.tokens.nth(3).click();
      await page.keyboard.press("k");
      await explorer.evidence.getByRole("button", { name: "Note", exact: true }).click();
      await expect(editor(page)).toBeVisible();
      await page.keyboard.type("On a cell. ".repeat(12));
      await check();
      await page.keyboard.press("Escape");
      await expect(page.getByText("What you wrote is not saved.")).toBeVisible();
      await check();
      await editor(page).getByRole("button", { name: "Save" }).click();
      await page.keyboard.press("Shift+BracketRight");
      await check(); // a range, a list, and notes in the head
      await explorer.evidence
        .getByRole("button", { name: /^Change the note on/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Delete", exact: true }).click();
      await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
      await check();
    });
  });
}
