import { waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { comparePrompt, isRead, setUpCompare, timelineOf, tokens } from "@/test/compare";
import { madeUpTokens } from "@/test/lensData";
import type * as alignment from "@/features/pair/alignment";
import { align } from "@/features/pair/alignment";

vi.mock("@/features/pair/alignment", async (original) => {
  const module = await original<typeof alignment>();
  return { ...module, align: vi.fn(module.align) };
});

setUpCompare();

test("the two are aligned when a reply has ended, not at each of its tokens", async () => {
  const timeline = timelineOf();
  const page = await comparePrompt(timeline);
  await isRead();
  const before = vi.mocked(align).mock.calls.length;
  for (let more = 1; more <= 5; more += 1) {
    const longer = madeUpTokens(tokens.length + more);
    page.show({ ...timeline, status: "streaming", tokens: longer });
  }
  expect(vi.mocked(align).mock.calls.length).toBe(before);
  page.show({ ...timeline, tokens: madeUpTokens(tokens.length + 5) });
  await waitFor(() => expect(vi.mocked(align).mock.calls.length).toBeGreaterThan(before));
  expect(vi.mocked(align).mock.lastCall?.[0]).toHaveLength(tokens.length + 5);
});
