import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { placeAt } from "@/model/place";
import { type Address, parseAddress } from "./address";
import { settleAddress, useAddress } from "./useAddress";

const at = (index: number | null) => placeAt(index, null);
const AT: Address = { ...parseAddress("?c=one"), place: at(1) };

beforeEach(() => window.history.replaceState(null, "", "/?c=one"));

/** A page that moves on to these tokens, one right after the other. */
function moveTo(...indices: readonly number[]): void {
  const { rerender } = renderHook((address: Address) => useAddress(address, false, () => undefined), {
    initialProps: AT,
  });
  for (const index of indices) rerender({ ...AT, place: at(index) });
}

test("the address follows at once, then rests between changes", async () => {
  moveTo(2, 3, 4);
  expect(window.location.search).toBe("?c=one&t=2");
  await expect.poll(() => window.location.search).toBe("?c=one&t=4");
});

test("who takes the address, or leaves the page, has the last change in it", () => {
  moveTo(2, 3);
  expect(window.location.search).toBe("?c=one&t=2");
  settleAddress();
  expect(window.location.search).toBe("?c=one&t=3");
});

test("a conversation that is left has the last change in its place of the history", async () => {
  const { rerender } = renderHook(
    ({ address, isUnsettled }: { readonly address: Address; readonly isUnsettled: boolean }) =>
      useAddress(address, isUnsettled, () => undefined),
    { initialProps: { address: AT, isUnsettled: false } },
  );
  rerender({ address: { ...AT, place: at(2) }, isUnsettled: false });
  rerender({ address: { ...AT, place: at(3) }, isUnsettled: false });
  rerender({ address: { ...AT, place: at(null), conversationId: null }, isUnsettled: true });
  rerender({ address: { ...AT, place: at(null), conversationId: "two" }, isUnsettled: false });
  expect(window.location.search).toBe("?c=two");
  window.history.back();
  await expect.poll(() => window.location.search).toBe("?c=one&t=3");
});

test("a page that is left has the last change in its address", () => {
  moveTo(5, 6);
  window.dispatchEvent(new Event("pagehide"));
  expect(window.location.search).toBe("?c=one&t=6");
});
