/** What the server itself says, for the tests to hold against what the page shows. */
import type { Page } from "@playwright/test";
import type { components } from "../src/types/api";

export type Schemas = components["schemas"];
export type LensReadRequest = Schemas["LensReadRequest"];
export type LensReadResponse = Schemas["LensReadResponse"];

/**
 * What the address says when it has caught up with the page: its changes rest a moment, and
 * `page.url()` is told of them later still. Leaving the page makes it catch up, and so does this.
 */
export async function addressOf(page: Page): Promise<URLSearchParams> {
  const search = await page.evaluate(() => {
    window.dispatchEvent(new Event("pagehide"));
    return window.location.search;
  });
  return new URLSearchParams(search);
}

export const conversationOf = async (page: Page): Promise<string> => (await addressOf(page)).get("c") ?? "";

export const selectedIndex = async (page: Page): Promise<number> => Number((await addressOf(page)).get("t"));

/** What the server answers to a request from the page's own place. */
export const post = <T>(page: Page, path: string, body: unknown): Promise<T> =>
  page.evaluate(
    async ([address, content]) => {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(content),
      });
      return (await answer.json()) as T;
    },
    [path, body] as [string, unknown],
  );

/** What the server answers to a plain request from the page's own place. */
export const get = <T>(page: Page, path: string): Promise<T> =>
  page.evaluate(async (address) => (await (await fetch(address)).json()) as T, path);

/** The read-out of the conversation in the page's address. */
export async function lensOf(page: Page, more: Partial<LensReadRequest> = {}): Promise<LensReadResponse> {
  return post(page, "/api/lens", { conversation_id: await conversationOf(page), top_k: 5, ...more });
}
