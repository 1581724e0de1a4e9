/** Ablations from where a part was seen: its numbers against the API's, by mouse, by keyboard alone and by touch. */
import type { Locator, Page } from "@playwright/test";
import { formatSigned } from "../src/model/format";
import { type LensReadResponse, type Schemas, addressOf, conversationOf, post, selectedIndex } from "./api";
import { type ExplorerPage, WAYS, expect, seriousViolations, test } from "./page";

type Intervention = Schemas["Intervention"];
type Site = Intervention["site"];
type Operation = Intervention["op"];

const N_LAYERS = 12;
const PROMPT = "The capital of France is";
const OTHER = "The capital of Spain is";

/** What the server says about one prediction. */
interface Prediction {
  readonly conversationId: string;
  readonly position: number;
  readonly heads: Schemas["AttributionResponse"];
  /** The logit difference at each layer in the plain run. */
  readonly plain: readonly number[];
  /** The same under interventions. */
  readonly under: (interventions: Intervention[]) => Promise<number[]>;
}

async function prediction(page: Page): Promise<Prediction> {
  const conversationId = await conversationOf(page);
  const position = (await selectedIndex(page)) - 1;
  const about = { conversation_id: conversationId, position };
  const heads = await post<Schemas["AttributionResponse"]>(page, "/api/attribution", {
    ...about,
    unit: "head",
  });
  const targets = [heads.target.token_id, heads.foil?.token_id ?? -1];
  const under = async (interventions: Intervention[]): Promise<number[]> => {
    const answer = await post<LensReadResponse>(page, "/api/lens", {
      conversation_id: conversationId,
      positions: [position, position + 1],
      targets,
      interventions,
    });
    return answer.layers.map((_, layer) => {
      const [target, foil] = answer.targets.map(({ probability }) => probability[layer]?.[0] ?? 0);
      return Math.log(target ?? 0) - Math.log(foil ?? 0);
    });
  };
  return { conversationId, position, heads, plain: await under([]), under };
}

const at = (
  { position }: Prediction,
  site: Site,
  block: number,
  op: Operation,
  head: number | null = null,
): Intervention => ({
  site,
  layers: [block],
  heads: head === null ? null : [head],
  positions: [position],
  op,
});

/** What the panel shows is what the server gives: the change, and that of each layer. */
async function expectChange(panel: Locator, { plain, under }: Prediction, interventions: Intervention[]) {
  const changed = await under(interventions);
  const change = (layer: number): number => (changed[layer] ?? 0) - (plain[layer] ?? 0);
  expect(Math.abs(change(N_LAYERS))).toBeGreaterThan(1e-3);
  await expect(panel.getByText(/a change of/)).toContainText(
    `${formatSigned(plain[N_LAYERS] ?? 0)} → ${formatSigned(changed[N_LAYERS] ?? 0)}: a change of ${formatSigned(change(N_LAYERS))}`,
  );
  const layers = panel.getByRole("list", { name: "Change of the logit difference by layer" });
  const block = interventions[0]?.layers[0] ?? 0;
  await expect(layers.getByRole("listitem")).toHaveCount(N_LAYERS + 1);
  await expect(layers.getByTitle(`layer ${block - 1}: 0`)).toBeVisible();
  await expect(layers.getByTitle(`layer ${N_LAYERS}: ${formatSigned(change(N_LAYERS))}`)).toBeVisible();
  return change(N_LAYERS);
}

/** Beside the change of a part set to zero stands what it adds directly. */
async function expectDirect(panel: Locator, own: number, change: number): Promise<void> {
  await expect(panel.getByText(/a change of/)).toContainText(`directly it adds ${formatSigned(own)}`);
  await expect(panel.getByRole("definition")).toHaveText([formatSigned(-own), formatSigned(change)]);
  await expect(panel.getByText(/account for the other/)).toContainText(formatSigned(change + own));
}

/** The message with another word, and the same reply up to the token that is read. */
async function resampledFrom(page: Page, { conversationId, position }: Prediction): Promise<Operation> {
  const tokensOf = async (source: object): Promise<Schemas["Token"][]> =>
    (await post<LensReadResponse>(page, "/api/lens", { ...source, layers: [0], positions: [0, 1] })).tokens;
  const own = await tokensOf({ conversation_id: conversationId });
  const prompt = await tokensOf({ messages: [{ role: "user", content: OTHER }] });
  const start = own.findIndex(({ role }) => role === "assistant");
  const ids = [...prompt, ...own.slice(start, position + 1)].map(({ id }) => id);
  return { kind: "replace", from: { token_ids: ids }, positions: [ids.length - 1] };
}

/** The reply to the same message in a conversation of its own, with the scores of its tokens. */
const plainReply = async (page: Page): Promise<(readonly [number, number | null])[]> => {
  const { tokens } = await post<Schemas["ChatResponse"]>(page, "/api/chat", {
    messages: [{ role: "user", content: PROMPT }],
    sampling: { temperature: 0, max_new_tokens: 8 },
  });
  return tokens.map(({ id, logprob_nats }) => [id, logprob_nats] as const);
};

async function begin(explorer: ExplorerPage): Promise<void> {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.say(PROMPT);
}

/** Nothing but Tab, until it is there. */
async function tabTo(page: Page, control: Locator): Promise<void> {
  await expect(control).toBeVisible();
  for (let i = 0; i < 80; i += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(control).toBeFocused();
}

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    test.use({ colorScheme });

    test("a head, an edge and an MLP are ablated where they were seen, and nothing stays", async ({
      explorer,
      page,
    }) => {
      const { evidence } = explorer;
      const panel = evidence.getByRole("region", { name: /^Ablate/ });
      /** One of the choices of a group, of which another is chosen. */
      const choose = async (group: string, name: string): Promise<void> => {
        const radio = panel
          .getByRole("radiogroup", { name: group })
          .getByRole("radio", { name, exact: true });
        if (hand === "mouse") await radio.click();
        else {
          await tabTo(page, panel.getByRole("radiogroup", { name: group }).locator("[aria-checked=true]"));
          for (let i = 0; i < 4 && (await radio.getAttribute("aria-checked")) === "false"; i += 1)
            await page.keyboard.press("ArrowRight");
        }
        await expect(radio).toBeChecked();
      };
      const press = async (control: Locator): Promise<void> => {
        if (hand === "mouse") return control.click();
        await tabTo(page, control);
        await page.keyboard.press("Enter");
      };
      await begin(explorer);
      if (hand === "keyboard") await page.keyboard.press("Escape");
      await explorer.selectToken("Paris", hand);
      const reply = await plainReply(page);
      if (hand === "mouse") {
        await page.getByRole("button", { name: "Why", exact: true }).click();
        await page.getByRole("tab", { name: "Attention" }).click();
      } else await page.keyboard.press("7");
      await press(evidence.getByRole("button", { name: "Show this head" }));
      const address = await addressOf(page);
      const [block, head] = [Number(address.get("b")), Number(address.get("h"))];
      const asked = await prediction(page);
      const own = asked.heads.parts.find((part) => part.block === block && part.head === head);

      await choose("Ablation", "Zero");
      const zero = at(asked, "head", block, { kind: "zero" }, head);
      await expectDirect(panel, own?.contribution ?? NaN, await expectChange(panel, asked, [zero]));
      await page.keyboard.press("Escape");
      await expect(panel.getByRole("radio", { name: "Off" })).toBeFocused();
      await expect(panel.getByText(/a change of/)).toBeHidden();

      await choose("Ablation", "Resample");
      await press(panel.getByRole("button", { name: "Try Spain" }));
      const resampled = await resampledFrom(page, asked);
      await expectChange(panel, asked, [at(asked, "head", block, resampled, head)]);
      await expect(panel.getByText(OTHER)).toBeVisible();

      await choose("Part", "One edge");
      const read = (await panel.getByRole("combobox", { name: "Reads" }).textContent()) ?? "";
      const source = Number(/index (\d+)/.exec(read)?.[1]);
      // The switch stays on; what is switched is the edge.
      const edge = at(asked, "head", block, { kind: "knock_out", sources: [source] }, head);
      await expectChange(panel, asked, [edge]);
      await choose("Ablation", "Off");

      if (hand === "mouse") await page.getByRole("tab", { name: "Attribution" }).click();
      else await page.keyboard.press("6");
      const row = evidence.getByRole("row", { name: /^Block 10:/ });
      if (hand === "mouse") await row.click();
      else {
        await tabTo(page, evidence.getByRole("treegrid").locator("[role=row][tabindex='0']"));
        await page.keyboard.press("Home");
        while (!(await row.evaluate((element) => element === document.activeElement)))
          await page.keyboard.press("ArrowDown");
      }
      await expect(panel).toHaveAccessibleName("Ablate block 10");
      await choose("Part", "MLP");
      await choose("Ablation", "Mean");
      await expectChange(panel, asked, [at(asked, "mlp", 10, { kind: "mean" })]);
      await choose("Part", "Block");
      await choose("Ablation", "Zero");
      const gone = await expectChange(panel, asked, [
        at(asked, "attn", 10, { kind: "zero" }),
        at(asked, "mlp", 10, { kind: "zero" }),
      ]);
      const ofBlock = asked.heads.parts.filter((part) => part.block === 10);
      await expectDirect(
        panel,
        ofBlock.reduce((sum, { contribution }) => sum + contribution, 0),
        gone,
      );
      expect(await seriousViolations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await expect(panel.getByText(/a change of/)).toBeHidden();

      expect(await asked.under([])).toEqual(asked.plain);
      expect(await plainReply(page)).toEqual(reply);
      expect(explorer.complaints).toEqual([]);
    });
  });
}

test.describe("by touch, on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "dark" });

  test("a block and a head are ablated with taps", async ({ explorer, page }) => {
    const { evidence } = explorer;
    const panel = evidence.getByRole("region", { name: /^Ablate/ });
    await begin(explorer);
    await explorer.tokens.filter({ hasText: "Paris" }).first().tap();
    await page.getByRole("button", { name: "Why", exact: true }).tap();
    await page.getByRole("tab", { name: "Attribution" }).tap();
    await evidence.getByRole("row", { name: /^Block 9:/ }).tap();
    await panel.getByRole("radio", { name: "Attention" }).tap();
    await panel.getByRole("radio", { name: "Zero" }).tap();
    const asked = await prediction(page);
    await expectChange(panel, asked, [at(asked, "attn", 9, { kind: "zero" })]);
    await panel.getByRole("radio", { name: "Resample" }).tap();
    await panel.getByRole("button", { name: "France", exact: true }).tap();
    expect(await seriousViolations(page)).toEqual([]);
    const word = panel.getByRole("textbox", { name: "Replace France with" });
    await word.fill("Spain");
    await panel.getByRole("button", { name: "Resample" }).tap();
    const resampled = await resampledFrom(page, asked);
    await expectChange(panel, asked, [at(asked, "attn", 9, resampled)]);
    // Nothing of the panel is wider than the screen.
    expect(await panel.evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);

    await page.getByRole("tab", { name: "Attention" }).tap();
    await evidence.getByRole("gridcell", { name: /^Block 11, head 2:/ }).tap();
    await expect(panel).toHaveAccessibleName("Ablate head 2 of block 11");
    await panel.getByRole("radio", { name: "Zero" }).tap();
    await expectChange(panel, asked, [at(asked, "head", 11, { kind: "zero" }, 2)]);
    await panel.getByRole("radio", { name: "Off" }).tap();
    await expect(panel.getByText(/a change of/)).toBeHidden();
    expect(explorer.complaints).toEqual([]);
  });
});
