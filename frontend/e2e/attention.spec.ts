/** The Attention view as a person uses it: its numbers and the colours of the text against the server's own. */
import { signedTintOf } from "../src/features/transcript/signedTint";
import { formatSigned } from "../src/model/format";
import { type Schemas, addressOf, conversationOf, post, selectedIndex } from "./api";
import { WAYS, activate, expect, seriousViolations, test } from "./page";

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    test.use({ colorScheme });

    test("from an answer to the head and the word that it was read from, with the server's numbers", async ({
      explorer,
      page,
    }) => {
      const { evidence, tokens } = explorer;
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "12" });
      await explorer.say("The capital of France is Paris. What is the capital of Spain?");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      await explorer.selectToken("Madrid", hand);
      if (hand === "mouse") {
        await page.getByRole("button", { name: "Why" }).click();
        await page.getByRole("tab", { name: "Attention" }).click();
      } else await page.keyboard.press("7");
      await activate(evidence.getByRole("radio", { name: "Logit" }), hand);
      await activate(evidence.getByRole("button", { name: "Show this head" }), hand);

      const position = (await selectedIndex(page)) - 1;
      const rows = await post<Schemas["AttentionResponse"]>(page, "/api/attention", {
        conversation_id: await conversationOf(page),
        position,
        kind: "logit",
      });
      const all = rows.values.flatMap((heads, row) =>
        heads.flatMap((values, head) =>
          values.map((value, source) => ({ block: rows.blocks[row] ?? 0, head, values, source, value })),
        ),
      );
      const best = all
        .filter(({ source }) => source > 0 && source < position)
        .reduce((one, other) => (other.value > one.value ? other : one));
      const address = await addressOf(page);
      expect([address.get("b"), address.get("h")]).toEqual([`${best.block}`, `${best.head}`]);

      const sum = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0);
      await expect(evidence.getByRole("gridcell")).toHaveText(
        rows.values.toReversed().flatMap((heads) => heads.map((values) => formatSigned(sum(values)))),
      );
      const most = evidence.getByRole("list", { name: "Most read" }).getByRole("button").first();
      await expect(most).toContainText(formatSigned(largestOf(best.values)));

      const max = Math.max(...best.values.slice(1).map(Math.abs));
      const expected = await asSeen(best.values.map((value) => signedTintOf(value, max).background));
      await page.mouse.move(0, 0); // a token under the pointer has a ground of its own
      await expect.poll(async () => (await grounds()).slice(0, position + 1)).toEqual(expected);

      const grid = evidence.getByRole("grid");
      await grid.focus();
      await page.keyboard.press("Enter");
      await expect(evidence.getByRole("heading", { name: "All heads" })).toBeVisible();
      expect(await seriousViolations(page)).toEqual([]);

      await activate(most, hand);
      await expect.poll(() => selectedIndex(page)).toBeLessThan(position);
      await (hand === "mouse"
        ? page.getByRole("button", { name: "Read" }).click()
        : page.keyboard.press("1"));
      await page.getByRole("button", { name: "Deselect the token" }).click();
      await page.mouse.move(0, 0);
      await expect.poll(async () => new Set(await grounds())).toEqual(new Set(["rgba(0, 0, 0, 0)"]));
      expect(explorer.complaints).toEqual([]);

      /** The ground of each token of the text. */
      function grounds(): Promise<string[]> {
        return tokens.evaluateAll((found) => found.map((token) => getComputedStyle(token).backgroundColor));
      }
      /** Colours as the browser writes them. */
      function asSeen(colours: readonly string[]): Promise<string[]> {
        return page.evaluate((all) => {
          const probe = document.body.appendChild(document.createElement("span"));
          const seen = all.map((colour) => {
            probe.style.backgroundColor = colour;
            return getComputedStyle(probe).backgroundColor;
          });
          probe.remove();
          return seen;
        }, colours);
      }
    });
  });
}

const largestOf = (values: readonly number[]): number =>
  values.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one), 0);
