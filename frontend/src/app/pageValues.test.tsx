import { expect, test } from "vitest";
import { formatBytes, formatParameters, formatRate } from "@/base/amount";
import { readStored, storedName, writeStored } from "@/base/stored";
import { formatAddress, parseAddress } from "@/features/address/address";
import { tintOf } from "@/features/transcript/tint";

test("an address survives being written and read", () => {
  const address = {
    conversationId: "abc",
    viewId: "heatmap",
    lens: "tuned",
    halfLayers: true,
    place: { kind: "layer", index: 14, layer: 6.5 },
    pins: [[6342, 2201], [318]],
    positions: [3, 13],
    choices: { metric: "entropy", width: "24" },
  } as const;
  expect(formatAddress(address)).toBe(
    "?c=abc&view=heatmap&lens=tuned&half=on&t=14&l=6.5&pin=6342-2201.318&at=3.13&metric=entropy&width=24",
  );
  expect(parseAddress(formatAddress(address))).toEqual(address);
});

test("nonsense in an address is passed over", () => {
  const address = parseAddress(
    `?c=${"x".repeat(65)}&t=-1&l=1e3&pin=-.x.7-y&at=.-1&lens=fisheye&Metric=x&metric=<b>&x=`,
  );
  expect(address).toEqual({
    conversationId: null,
    viewId: null,
    lens: "logit",
    halfLayers: false,
    place: { kind: "none" },
    pins: [[7]],
    positions: [],
    choices: {},
  });
});

test("without a conversation an address names no place in it", () => {
  const address = {
    conversationId: null,
    viewId: null,
    lens: "tuned",
    halfLayers: true,
    place: { kind: "layer", index: 1, layer: 2 },
    pins: [[7]],
    positions: [3],
    choices: { metric: "entropy" },
  } as const;
  expect(formatAddress(address)).toBe("");
});

test("amounts are short and keep their unit", () => {
  expect([124_439_808, 7_115_008, 1_300_000_000, 512_000].map(formatParameters)).toEqual([
    "124M",
    "7.1M",
    "1.3B",
    "512k",
  ]);
  expect([548_105_171, 1_250_000_000, 12].map(formatBytes)).toEqual(["548 MB", "1.3 GB", "1 kB"]);
  expect([31.4, 4.25].map(formatRate)).toEqual(["31 tokens/s", "4.3 tokens/s"]);
});

test("what storage holds is used only if it parses", () => {
  const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  expect(readStored("n", asNumber, 7)).toBe(7);
  writeStored("n", 3);
  expect(readStored("n", asNumber, 7)).toBe(3);
  window.localStorage.setItem(storedName("n"), "{broken");
  expect(readStored("n", asNumber, 7)).toBe(7);
});

test("what an earlier version stored without a prefix is taken over, and another page's is left alone", () => {
  const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  window.localStorage.setItem("n", "3");
  expect(readStored("n", asNumber, 7)).toBe(3);
  window.localStorage.setItem("n", "5"); // the other page goes on
  expect(readStored("n", asNumber, 7)).toBe(3);
  writeStored("n", 4);
  expect(window.localStorage.getItem("n")).toBe("5");
  expect(readStored("n", asNumber, 7)).toBe(4);
  window.localStorage.setItem("m", '"not ours"');
  expect(readStored("m", asNumber, 7)).toBe(7);
  expect(window.localStorage.getItem(storedName("m"))).toBeNull();
});

test("a value beyond the scale has a second cue besides its colour", () => {
  expect(tintOf(10, 10).isMarked).toBe(false);
  expect(tintOf(10.1, 10).isMarked).toBe(true);
  expect(tintOf(Number.POSITIVE_INFINITY, 12)).toEqual({ background: "transparent", isMarked: true });
});
