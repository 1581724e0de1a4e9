/** What the tests of Compare share: a text and its counterpart, where to look, and the server's own numbers. */
import { type Locator, expect } from "@playwright/test";
import { align } from "../src/features/pair/alignment";
import { type Schemas, conversationOf, post } from "./api";
import { type ExplorerPage, comparePrompt, pick } from "./page";

export const A = "The capital of France is Paris. The capital of Italy is";
export const B = "The capital of France is Paris. The capital of Spain is";

/** Where the cells are, as charts/heatmap/geometry.ts has it. */
export const LABEL_WIDTH = 68;
export const HEAD_HEIGHT = 56;
export const CELL_HEIGHT = 22;
export const CELL_WIDTH = 92;

export const grid = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("grid");
export const activeCell = (explorer: ExplorerPage): Locator => grid(explorer).getByRole("gridcell");
export const isRead = ({ evidence }: ExplorerPage) =>
  expect(evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();
export const choose = ({ evidence }: ExplorerPage, name: string | RegExp, label: string) =>
  pick(evidence.getByRole("combobox", { name, exact: true }), label);

export interface Compared {
  readonly whole: Schemas["CompareResponse"];
  readonly idsB: number[];
  /** Column of each pair in the grid. */
  readonly columns: number[];
}

/** A completion, and its prompt with a word changed beside it; what the server says of all pairs. */
export async function compareTexts(explorer: ExplorerPage): Promise<Compared> {
  const { page } = explorer;
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "3" });
  await explorer.say(A);
  await page.getByRole("tab", { name: "Compare" }).click();
  await comparePrompt(explorer, B, "none");
  await isRead(explorer);

  const own = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
    conversation_id: await conversationOf(page),
    positions: [0, 1],
    layers: [0],
  });
  const other = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
    prompt: B,
    positions: [0, 1],
    layers: [0],
  });
  const idsB = other.tokens.map((token) => token.id);
  const alignment = align(
    own.tokens.map((token) => token.id),
    idsB,
  );
  const pairs = alignment.columns.flatMap((each, column) =>
    each.a === null || each.b === null ? [] : [{ positions: [each.a, each.b], column }],
  );
  const whole = await post<Schemas["CompareResponse"]>(page, "/api/compare", {
    a: { conversation_id: await conversationOf(page) },
    b: { token_ids: idsB },
    positions: pairs.map((pair) => pair.positions),
    include_tokens: false,
  });
  return { whole, idsB, columns: pairs.map((pair) => pair.column) };
}

/** Colour of a cell that is in view, read above its text. */
export async function colourAt(explorer: ExplorerPage, column: number, row: number): Promise<string> {
  const left = await grid(explorer).evaluate((element) => element.scrollLeft);
  return explorer.evidence.locator("canvas:has(~ [role=grid])").evaluate(
    (canvas: HTMLCanvasElement, at) => {
      const rgb = canvas.getContext("2d")?.getImageData(at.x, at.y, 1, 1).data.slice(0, 3) ?? [];
      return `#${Array.from(rgb, (channel) => channel.toString(16).padStart(2, "0")).join("")}`;
    },
    {
      x: LABEL_WIDTH + column * CELL_WIDTH - left + 20,
      y: HEAD_HEIGHT + row * CELL_HEIGHT + 2,
    },
  );
}

/** Moves the keyboard's cell to a column of the output's row. */
export async function goTo(explorer: ExplorerPage, column: number): Promise<void> {
  await grid(explorer).press("Control+Home");
  for (let step = 0; step < column; step += 1) await grid(explorer).press("ArrowRight");
}
