import { afterEach, describe, expect, test, vi } from "vitest";
import { copyText } from "./clipboard";

/** What the older way put on the clipboard; jsdom has neither way. */
let copied: string | null;

function browserWith({ writeText, older }: { writeText?: () => Promise<void>; older: boolean }): void {
  copied = null;
  vi.stubGlobal("navigator", { clipboard: writeText === undefined ? undefined : { writeText } });
  Object.defineProperty(document, "execCommand", {
    configurable: true,
    value: () => {
      if (!older) return false;
      const data = { setData: (_: string, text: string) => (copied = text) };
      const event = Object.assign(new Event("copy", { bubbles: true, cancelable: true }), {
        clipboardData: data,
      });
      window.getSelection()?.anchorNode?.dispatchEvent(event);
      return true;
    },
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(document, "execCommand");
  document.body.replaceChildren();
});

describe("a text is copied", () => {
  test("by the browser's clipboard", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    browserWith({ writeText, older: false });
    expect(await copyText("a\n b")).toBe(true);
    expect(writeText).toHaveBeenCalledExactlyOnceWith("a\n b");
  });

  test.each([
    ["has none, as over plain http", undefined],
    ["refuses it", () => Promise.reject(new DOMException("no", "NotAllowedError"))],
  ])("the older way where the browser %s, and what was selected stays so", async (_, writeText) => {
    document.body.innerHTML = "<p>selected</p>";
    window.getSelection()?.selectAllChildren(document.body);
    browserWith({ ...(writeText === undefined ? {} : { writeText }), older: true });
    expect(await copyText("a\n b")).toBe(true);
    expect(copied).toBe("a\n b");
    expect(window.getSelection()?.toString()).toBe("selected");
    expect(document.body.children).toHaveLength(1);
  });

  test("not where neither way is allowed, which is said", async () => {
    browserWith({ older: false });
    expect(await copyText("a")).toBe(false);
  });
});
