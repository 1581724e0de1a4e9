import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { formatNats } from "@/model/format";
import { choose } from "@/test/choose";
import { activeCell, allRead, server, setUpHeatmap, timeline, tokens } from "@/test/heatmap";
import { N_LAYERS, madeUpLens } from "@/test/lensData";
import { matchMedia } from "@/test/media";
import { renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

setUpHeatmap();

describe("colour", () => {
  test("each metric has a legend with its unit, in the ramp that was chosen", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    const metric = screen.getByRole("combobox", { name: "coloured by" });
    const most = Math.max(...madeUpLens(tokens, {}).entropy_nats.flat());
    const mostEntropy = String(Math.ceil(10 * most) / 10);
    for (const [title, unit, end] of [
      ["Top-1 probability", "probability, 0 to 1", "1"],
      ["Rank of the actual next token", "rank, log scale; 1 is the top-1 prediction", "50,257"],
      ["Entropy", "nats; high is uncertain", mostEntropy],
      ["KL to final", "nats, KL(final ‖ layer); 0 is the output itself", "20"],
    ] as const) {
      await choose(metric, title);
      const legend = screen.getByRole("figure", { name: `Colour scale: ${title}` });
      expect(legend).toHaveTextContent(unit);
      expect(within(legend).getByText(end)).toBeInTheDocument();
    }
    expect(server.asked.length).toBeLessThan(5);
  });

  test("entropy reads from certain to uncertain, up to what was read or, when asked to, to a uniform prediction", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    await choose(screen.getByRole("combobox", { name: "coloured by" }), "Entropy");
    const labels = () =>
      Array.from(
        screen.getByRole("figure").querySelectorAll(".font-mono > span"),
        (each) => each.textContent,
      );
    const most = Math.max(...madeUpLens(tokens, {}).entropy_nats.flat());
    expect([labels()[0], labels().at(-1)]).toEqual(["0certain", `${Math.ceil(10 * most) / 10}uncertain`]);
    await userEvent.click(screen.getByRole("switch", { name: /^Full range/ }));
    expect(labels().at(-1)).toBe("10.8uncertain");
  });

  test("the finding names the cell that stands out, and leads to it", async () => {
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    await choose(screen.getByRole("combobox", { name: "coloured by" }), "KL to final");
    const rows = madeUpLens(tokens, {}).kl_to_final_nats;
    const cells = rows
      .slice(1)
      .flatMap((row, at) => row.slice(1, -1).map((value, i) => ({ value, layer: at + 1, position: i + 1 })));
    const most = cells.reduce((best, each) => (each.value > best.value ? each : best));
    expect(
      screen.getByText(
        (_, element) =>
          element?.textContent ===
          `Highest KL to final: layer ${most.layer} at index ${most.position}, ${formatNats(most.value)} nats.`,
      ),
    ).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Go to it" }));
    expect(view.selection()).toMatchObject({ index: most.position + 1, layer: most.layer });
  });

  test("the first token and the embedding set the scale only when asked to, and are marked as clipped until then", async () => {
    const lens = madeUpLens(tokens, {});
    const layer = lens.kl_to_final_nats.findIndex((row) => (row[0] ?? 0) > 20);
    renderView(Heatmap, timeline, { index: 1, layer });
    await allRead();
    await choose(screen.getByRole("combobox", { name: "coloured by" }), "KL to final");
    const legend = within(screen.getByRole("figure"));
    expect(legend.getByText("20")).toBeInTheDocument();
    const beyond = lens.kl_to_final_nats.flat().filter((kl) => kl > 20).length;
    expect(beyond).toBeGreaterThan(1);
    expect(screen.getByRole("figure")).toHaveTextContent(
      `beyond the scale: ${beyond} cells; the card has the number`,
    );
    const card = screen.getByRole("region", { name: "Cell" });
    expect(card).toHaveTextContent("beyond the colour scale");
    expect(within(card).getByText(formatNats(lens.kl_to_final_nats[layer]?.[0] ?? null))).toBeInTheDocument();
    expect(activeCell()).toHaveTextContent(/; beyond the colour scale$/);

    await userEvent.click(screen.getByRole("switch", { name: /first position/ }));
    expect(legend.queryByText("20")).not.toBeInTheDocument();
    expect(legend.getByText("50")).toBeInTheDocument();
    expect(legend.queryByText(/beyond the scale/)).not.toBeInTheDocument();
    expect(card).not.toHaveTextContent("beyond the colour scale");
  });

  test("a metric with a sign is centred on zero, in a ramp whose hue is the sign", async () => {
    renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    const metric = screen.getByRole("combobox", { name: "coloured by" });
    const second = screen.getByRole("combobox", { name: "highlight" });
    await choose(second, "final-layer top-1");
    await choose(metric, "Delta log-prob. of the actual next token");
    const legend = screen.getByRole("figure", { name: /Delta log-prob. of the actual next token/ });
    const labels = Array.from(legend.querySelectorAll(".font-mono > span"), (each) => each.textContent);
    expect(labels).toHaveLength(3);
    expect(labels[0]).toMatch(/^−[125]0*$/);
    expect(labels[1]).toBe("0");
    expect(labels[2]).toBe(labels[0]?.replace("−", "+"));
    expect(second).toHaveAttribute("aria-disabled", "true");
    expect(legend).not.toHaveTextContent("top-1");

    const lens = madeUpLens(tokens, { positions: [8, 9] });
    const [below = 0, here = 0] = [7, 8].map((layer) => lens.next_probability[layer]?.[0] ?? 0);
    const change = Math.log(here) - Math.log(below);
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(
      `change by this block, nats${change > 0 ? "+" : ""}${formatNats(change)}`,
    );

    await userEvent.click(screen.getByRole("button", { name: "Display options" }));
    await choose(await screen.findByRole("combobox", { name: "ramp" }), "cividis");
    await userEvent.keyboard("{Escape}");
    expect(second).toBeEnabled();
    expect(legend).toHaveTextContent("top-1 equals final-layer top-1");
  });

  test("narrow cells lose their text, and it says so", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(screen.queryByText(/show colour only/)).not.toBeInTheDocument();
    for (let press = 0; press < 5; press += 1) {
      await userEvent.click(screen.getByRole("button", { name: "Narrower cells" }));
    }
    expect(screen.getByText(/show colour only/)).toBeInTheDocument();
  });
});

describe("the second hue", () => {
  test("is off at first, says in the legend and of each cell what it singles out, and is remembered", async () => {
    const lens = madeUpLens(tokens, {});
    const position = 8;
    const [output] = lens.top_ids[N_LAYERS]?.[position] ?? [];
    const [agreeing, other] = [true, false].map((isSame) =>
      lens.top_ids.findIndex((row) => (row[position]?.[0] === output) === isSame),
    );
    const view = renderView(Heatmap, timeline, { index: position + 1, layer: agreeing ?? null });
    await allRead();
    expect(screen.getByRole("figure")).not.toHaveTextContent("top-1");
    expect(activeCell()).not.toHaveTextContent("final-layer top-1");
    await choose(screen.getByRole("combobox", { name: "highlight" }), "final-layer top-1");
    expect(screen.getByRole("figure")).toHaveTextContent("top-1 equals final-layer top-1");
    expect(activeCell()).toHaveTextContent("; final-layer top-1");
    act(() => view.selection().select(position + 1, other));
    expect(activeCell()).toHaveTextContent(`Layer ${other === 0 ? "0 (embedding)" : String(other)},`);
    expect(activeCell()).not.toHaveTextContent("final-layer top-1");
    view.unmount();

    renderView(Heatmap, timeline, { index: 9 });
    expect(await screen.findByRole("combobox", { name: "highlight" })).toHaveAttribute("value", "output");
  });
});

test("every second layer halves the rows, keeps the embedding and the output, and asks for nothing", async () => {
  renderView(Heatmap, timeline, { index: 9, layer: 12 });
  await allRead();
  const asked = server.asked.length;
  await userEvent.click(screen.getByRole("button", { name: "Display options" }));
  await choose(screen.getByRole("combobox", { name: "layers" }), "every fourth layer");
  await userEvent.keyboard("{Escape}");
  expect(screen.getByRole("grid")).toHaveAttribute("aria-rowcount", "4");
  screen.getByRole("grid").focus();
  for (const layer of ["8", "4", String.raw`0 \(embedding\)`, String.raw`0 \(embedding\)`]) {
    await userEvent.keyboard("{ArrowDown}");
    expect(activeCell()).toHaveTextContent(new RegExp(`^Layer ${layer}, read at index 8`));
  }
  expect(server.asked).toHaveLength(asked);
});

test("on a narrow screen what the cells are coloured by is chosen in the display options, and the legend names it", async () => {
  matchMedia((query) => query.includes("width"));
  renderView(Heatmap, timeline, { index: 9 });
  await allRead();
  expect(screen.queryByRole("combobox")).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Display options" }));
  for (const name of ["highlight", "outline", "ramp", "layers"])
    expect(screen.getByRole("combobox", { name })).toBeInTheDocument();
  await choose(screen.getByRole("combobox", { name: "coloured by" }), "KL to final");
  expect(screen.getByRole("switch", { name: /colour range/ })).not.toBeChecked();
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("combobox")).not.toBeInTheDocument();
  expect(screen.getByRole("figure")).toHaveTextContent("KL to final: nats, KL(final ‖ layer)");
});
