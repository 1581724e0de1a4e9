import { expect, test } from "vitest";
import { readability } from "./readability";

test("only what is stored and at rest is read; what failed before it was stored never is", () => {
  expect(readability({ status: "settled", conversationId: "c" })).toBe("ready");
  expect(readability({ status: "settled", conversationId: null })).toBe("unsaved");
  expect(readability({ status: "streaming", conversationId: "c" })).toBe("deferred");
  expect(readability({ status: "waiting", conversationId: null })).toBe("deferred");
});
