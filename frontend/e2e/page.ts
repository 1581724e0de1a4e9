/** The page as the tests use it: what a person does, by the names that a person sees. */
import { readFileSync } from "node:fs";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";
import type { Locator, Page } from "@playwright/test";
import { workerUrl } from "./server";

/** How a person works the page. */
export type Hand = "mouse" | "keyboard";

/** Each view is tried in both ways and in both themes. */
export const WAYS = [
  { hand: "mouse", colorScheme: "light" },
  { hand: "keyboard", colorScheme: "dark" },
] as const;

/** Presses a button, a switch or one of several choices. */
export async function activate(control: Locator, hand: Hand): Promise<void> {
  if (hand === "mouse") return control.click();
  await control.focus();
  await control.press(" ");
}

/** Chooses in a select by the value, the words or the place of an option: from its list, or from the system's picker. */
export async function pick(select: Locator, option: string | number): Promise<void> {
  if ((await select.evaluate((element) => element.tagName)) === "SELECT") {
    await select.selectOption(typeof option === "number" ? { index: option } : option);
    return;
  }
  await select.click();
  const list = select
    .page()
    .getByRole("listbox", { name: (await select.getAttribute("aria-label")) ?? "", exact: true });
  const chosen =
    typeof option === "number"
      ? list.getByRole("option").nth(option)
      : list.locator(`[data-value="${option}"]`).or(list.getByRole("option", { name: option, exact: true }));
  await chosen.click();
  await expect(list).toBeHidden();
}

/** Compares with a changed prompt in the open Compare view; `reply` is what follows it. */
export async function comparePrompt(
  { evidence }: ExplorerPage,
  prompt: string,
  reply: "greedy" | "sampled" | "forced" | "none",
): Promise<void> {
  await pick(evidence.getByRole("combobox", { name: "B’s reply" }), reply);
  await evidence.getByRole("button", { name: "Edit as text" }).click();
  const box = evidence.getByRole("textbox", { name: "The prompt of B" });
  await box.fill(prompt);
  await box.press("Enter");
}

/** Another kind of B, once a pair is shown. */
export async function changeB({ evidence }: ExplorerPage, kind: string): Promise<void> {
  const change = evidence.getByRole("button", { name: "Change B" });
  if (await change.isVisible()) await change.click();
  await pick(evidence.getByRole("combobox", { name: "B:" }), kind);
}

/** About ten tokens a second, each with its predictions at every layer. */
const SLOW_BYTES_PER_SECOND = 65_000;

export class ExplorerPage {
  readonly page: Page;
  readonly tokens: Locator;
  readonly evidence: Locator;
  /** What the browser's console complained about. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    this.tokens = page
      .getByRole("listbox", { name: "Tokens of the conversation" })
      .getByRole("option")
      .and(page.locator("[data-index]"));
    this.evidence = page.getByRole("region", { name: "Evidence" });
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
  }

  /** Opens the page with every token shown, also those of the template, unless the browser remembers otherwise. */
  async open(query = ""): Promise<void> {
    await this.page.addInitScript(() => {
      const settings = "mechanistic-explorer:settings";
      if (localStorage.getItem(settings) === null)
        localStorage.setItem(settings, JSON.stringify({ showTemplate: true }));
      // Begins with an empty conversation, as one who was here before.
      localStorage.setItem("mechanistic-explorer:opening", "over");
    });
    await this.page.goto(`${workerUrl()}/${query}`);
    await expect(this.page.getByText("Ready", { exact: true })).toBeVisible();
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: /^(Message|Text to continue)$/ });
  }

  async setSampling(values: Record<string, string>): Promise<void> {
    await this.page.getByRole("button", { name: /^Sampling/ }).click();
    const dialog = this.page.getByRole("dialog", { name: "Sampling" });
    for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label).fill(value);
    await this.page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
  }

  /** Opens the dialog of figures. */
  async openFigure(): Promise<Locator> {
    await this.page.getByRole("button", { name: "Export" }).click();
    await this.page.getByRole("menuitem", { name: /^Figure/ }).click();
    const dialog = this.page.getByRole("dialog", { name: "Figure" });
    await expect(dialog.getByRole("button", { name: "Save PNG" })).toBeEnabled();
    return dialog;
  }

  /** Saves the figure of the open dialog. */
  async savedFigure(format: "PNG" | "SVG"): Promise<Buffer> {
    const [download] = await Promise.all([
      this.page.waitForEvent("download"),
      this.page.getByRole("button", { name: `Save ${format}` }).click(),
    ]);
    return readFileSync(await download.path());
  }

  /** Sends a message and waits until its reply has ended. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
    await this.settled();
  }

  /**
   * Begins a reply that is not over before it is stopped, however long the page or the machine takes for what
   * comes between: raw text has no stop string, this hot no token is likely, and the bytes come slowly.
   */
  async beginLongReply(text: string): Promise<void> {
    await this.page.getByRole("radio", { name: "Completion" }).click();
    await this.setSampling({ Temperature: "10", "Max new tokens": "900" });
    const network = await this.page.context().newCDPSession(this.page);
    await network.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: SLOW_BYTES_PER_SECOND,
      uploadThroughput: -1,
    });
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  async settled(): Promise<void> {
    await expect(this.page.getByRole("button", { name: "Regenerate" })).toBeVisible({ timeout: 90_000 });
    await expect(this.page.getByText("Ready", { exact: true })).toBeVisible();
  }

  /** Selects the first token that contains `text`. */
  async selectToken(text: string, hand: Hand): Promise<void> {
    const token = this.tokens.filter({ hasText: text }).first();
    if (hand === "mouse") await token.click();
    else {
      const wanted = Number(await token.getAttribute("data-index"));
      const steps = await this.tokens.count();
      for (let i = 0; i < steps; i += 1) {
        // The end of a reply may have selected one that comes later.
        const from = await this.tokens.evaluateAll((all) =>
          all.find((each) => each.ariaSelected === "true")?.getAttribute("data-index"),
        );
        if (Number(from ?? -1) === wanted) break;
        await this.page.keyboard.press(Number(from ?? -1) > wanted ? "[" : "]");
      }
    }
    await expect(token).toHaveAttribute("aria-selected", "true");
    // The address follows a moment later.
    await expect(this.page).toHaveURL(new RegExp(`[?&]t=${await token.getAttribute("data-index")}(&|$)`));
  }

  async openView(title: string, key: string, hand: Hand): Promise<void> {
    if (hand === "mouse") await this.page.getByRole("tab", { name: title }).click();
    else await this.page.keyboard.press(key);
    await expect(this.page.getByRole("tab", { name: title })).toHaveAttribute("aria-selected", "true");
  }

  reply(): Locator {
    return this.page.getByRole("listbox", { name: "Tokens of the conversation" }).getByRole("group").last();
  }
}

/** What axe finds that is serious or worse, each with the element. */
export async function seriousViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    // The page has no frames of other origins, for which the other mode opens a second page each time.
    .setLegacyMode()
    // Listing what is right as well takes long on a page of many tokens.
    .options({ resultTypes: ["violations"] })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`),
    );
}

export const test = base.extend<{ explorer: ExplorerPage }>({
  explorer: async ({ page }, provide) => {
    const explorer = new ExplorerPage(page);
    await explorer.open();
    await provide(explorer);
  },
});

export { expect };
