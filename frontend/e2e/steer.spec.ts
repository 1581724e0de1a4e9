/** Steering in the page: its numbers against the API's, by mouse and by keyboard, and the branch that it writes. */
import { formatProbability } from "../src/model/format";
import { type Schemas, conversationOf, post, selectedIndex } from "./api";
import { WAYS, activate, expect, seriousViolations, test } from "./page";

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    // Fingers choose layers and strength by the same controls.
    test.use({ colorScheme, hasTouch: hand === "mouse" });

    test("from a prediction to the dose curve, the steered branch and both replies", async ({
      explorer,
      page,
    }) => {
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
      await explorer.say("The capital of France is");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      await explorer.selectToken("Paris", hand);
      const { evidence } = explorer;
      const index = await selectedIndex(page);
      const plainId = await conversationOf(page);
      await explorer.openView("Standard", "1", hand);
      await activate(evidence.getByRole("button", { name: "Layer 12" }), hand);
      const rival = evidence.getByRole("button", { name: /^Steer / }).nth(1);
      const name = ((await rival.getAttribute("aria-label")) ?? "").replace("Steer ", "");
      await activate(rival, hand);
      await activate(page.getByRole("menuitem", { name: `Steer towards ${name}` }), hand);

      const strength = evidence.getByRole("slider", { name: "Strength", exact: true });
      await expect(strength).toHaveAttribute("aria-busy", "false");
      const address = new URL(page.url()).searchParams;
      const token = Number(address.get("steer"));
      const dose = await post<Schemas["DoseResponse"]>(page, "/api/dose", {
        conversation_id: plainId,
        interventions: [
          {
            site: "resid",
            layers: [4, 5, 6, 7, 8],
            positions: "reply",
            op: { kind: "add", direction: { kind: "token", token_id: token }, strength: 1 },
          },
        ],
        strengths: [0.1],
        targets: [token],
        position: index - 1,
      });
      const shown = evidence.getByRole("status").filter({ hasText: "random direction" });
      await expect(shown).toContainText(
        `probability ${formatProbability(dose.tokens[0]?.probability[0] ?? null)}, random direction`,
      );
      expect(await seriousViolations(page)).toEqual([]);

      const field = evidence.getByRole("spinbutton", { name: "Strength" });
      await field.fill("0.5");
      await activate(evidence.getByRole("button", { name: "Write the reply" }), hand);
      await explorer.settled();
      await expect(page.getByRole("region", { name: "Interventions" })).toContainText(
        /adds 0\.5 × .* at layers 4–8 in the reply · acted \d+ times/,
      );
      const both = evidence.getByRole("region", { name: "Both replies" });
      await expect(both).toContainText(/They first differ at index \d+/);
      const steeredId = await conversationOf(page);
      expect(steeredId).not.toBe(plainId);

      await activate(both.getByRole("button", { name: "Compare layer by layer" }), hand);
      await expect(page.getByRole("tab", { name: "Compare" })).toHaveAttribute("aria-selected", "true");
      await expect(evidence.getByText(/The replies first differ at index/)).toBeVisible();
      expect(new URL(page.url()).searchParams.get("vs")).toBe(`branch.${plainId}`);
    });
  });
}

test.describe("by touch, on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a tap on the curve sets the strength, and another writes the reply", async ({ explorer, page }) => {
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
    await explorer.say("The capital of France is");
    // The second token of the reply; without one the sheet is closed.
    await explorer.open(`?c=${await conversationOf(page)}&t=11&view=steer&steer=306&touch=all`);
    const { evidence } = explorer;
    const curve = evidence.getByRole("slider", { name: "Strength", exact: true });
    await expect(curve).toHaveAttribute("aria-busy", "false");
    await curve.scrollIntoViewIfNeeded();
    const box = await curve.boundingBox();
    await curve.tap({ position: { x: (box?.width ?? 0) - 40, y: 60 } });
    await expect(evidence.getByRole("spinbutton", { name: "Strength" })).not.toHaveValue("0.1");
    const strength = await evidence.getByRole("spinbutton", { name: "Strength" }).inputValue();
    await evidence.getByRole("button", { name: "Write the reply" }).tap();
    await explorer.settled();
    await expect(page.getByRole("region", { name: "Interventions" })).toContainText(`adds ${strength} ×`);
  });
});
