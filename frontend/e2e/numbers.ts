/** The numbers that the page shows, and what makes them the same. */
import { expect } from "./page";
import type { ExplorerPage } from "./page";

/** Every number of the Standard view, as text. */
export async function numbers(explorer: ExplorerPage): Promise<string> {
  const table = explorer.evidence.getByRole("table").first();
  await expect(table).toHaveAttribute("aria-busy", "false");
  return table.innerText();
}

/** One unit of the last digit that is shown: 0.001 of 0.042, 1e-6 of 1.4e-5, 1 of #2,164. */
function lastDigit(number: string): number {
  const [mantissa = "", exponent = "0"] = number.split("e");
  return 10 ** (Number(exponent) - (mantissa.split(".")[1]?.length ?? 0));
}

/**
 * A text that is read again runs in one pass what was written token by token, so the last bits may
 * differ: what is shown is the same to one unit of its last digit, and all words are the same.
 */
export function expectSameNumbers(shown: string, before: string): void {
  const [now, then] = [shown.split(/\s+/), before.split(/\s+/)];
  const plain = (word: string) => word.replace(/^#/, "").replaceAll(",", "");
  const isNumber = (word: string) => /^\d+(\.\d+)?(e-\d+)?$/.test(plain(word));
  expect(now.filter((word) => !isNumber(word))).toEqual(then.filter((word) => !isNumber(word)));
  const [a, b] = [now.filter(isNumber).map(plain), then.filter(isNumber).map(plain)];
  expect(a.length).toBe(b.length);
  for (const [i, one] of a.entries()) {
    const other = b[i] ?? "";
    const most = 1.01 * Math.max(lastDigit(one), lastDigit(other)) + 2e-6;
    expect(Math.abs(Number(one) - Number(other))).toBeLessThan(most);
  }
}
