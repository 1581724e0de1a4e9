/** A lens is fitted in the page, and judged beside its controls. */
import { type Schemas, get } from "./api";
import { expect, test } from "./page";

const words = (kl: number): string => (kl >= 100 ? kl.toFixed(0) : kl.toFixed(3));

test("a fit is started, paused and resumed, and a short one ends with a verdict", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "2" });
  await explorer.say("The capital of France is");
  await page.getByRole("button", { name: "Fit…" }).focus();
  await page.keyboard.press("Enter");
  const panel = page.getByRole("dialog", { name: "Fit a lens" });

  // A day long, so that it runs when it is paused, however fast the machine is.
  await panel.getByLabel("Minutes").fill("1440");
  await panel.getByRole("button", { name: "Fit the lens" }).press("Enter");
  await panel.getByRole("button", { name: "Pause" }).press("Enter");
  await expect(panel.getByRole("status")).toHaveText(/^Tuned lens, .*, 1440 min: 0\s%, paused$/);
  await panel.getByRole("button", { name: "Resume" }).press("Enter");
  await expect(panel.getByRole("button", { name: "Pause" })).toBeVisible();
  await panel.getByRole("button", { name: "Cancel" }).press("Enter");
  await expect(panel.getByRole("status")).toHaveText(/cancelled$/);

  await panel.getByRole("button", { name: "Fit another" }).press("Enter");
  await panel.getByLabel("Minutes").fill("0.1");
  await panel.getByRole("button", { name: "Fit the lens" }).press("Enter");
  const told = panel.getByRole("region", { name: "Verdict" });
  await expect(told).toBeVisible({ timeout: 120_000 });
  const { jobs } = await get<Schemas["JobList"]>(page, "/api/jobs");
  const job = await get<Schemas["FitJobInfo"]>(page, `/api/jobs/${jobs[0]?.id ?? ""}`);
  const verdict = job.result.verdict;
  if (verdict === null) throw new Error("there is no verdict");
  const { layers, n_positions, beats_controls, is_in_use } = verdict;
  const n = layers.filter((layer) => layer.beats_controls === beats_controls).length;
  await expect(told).toContainText(`control at ${n} of ${layers.length} layers, on ${n_positions} held-out`);
  await expect(told).toContainText(is_in_use ? "takes the place" : "nearer and stays");
  for (const [layer, { kl_nats }] of layers.entries()) {
    await expect(
      told
        .getByRole("row")
        .nth(layer + 1)
        .getByRole("cell")
        .first(),
    ).toHaveText(words(kl_nats));
  }
});
