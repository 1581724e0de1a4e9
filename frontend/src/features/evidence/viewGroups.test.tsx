import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { type ViewGroup, defineView, withKeys } from "./view";
import { groupsOf, useOpenView } from "./viewGroups";

const view = (id: string, group: ViewGroup) =>
  defineView({ id, title: id, group, follows: "token", load: () => Promise.reject(new Error("not opened")) });

const VIEWS = withKeys([view("standard", "read"), view("heatmap", "read"), view("patch", "change")]);

test("only groups that have a view are shown, in the order read, why, change", () => {
  expect(groupsOf(VIEWS.toReversed()).map(({ title, views }) => [title, views.map(({ id }) => id)])).toEqual([
    ["Read", ["heatmap", "standard"]],
    ["Change", ["patch"]],
  ]);
});

test("keys count on over the groups, and there is none beyond 9", () => {
  expect(VIEWS.map(({ shortcut }) => shortcut)).toEqual(["1", "2", "3"]);
  const many = withKeys(Array.from({ length: 10 }, (_, i) => view(`v${i}`, "read")));
  expect(many.slice(-2).map(({ shortcut }) => shortcut)).toEqual(["9", null]);
});

test("a group opens the view of it that was open last, also on the next visit", () => {
  const { result, unmount } = renderHook(() => useOpenView(VIEWS));
  expect(result.current.viewId).toBe("standard");
  act(() => result.current.open("heatmap"));
  act(() => result.current.openGroup("change"));
  expect(result.current.viewId).toBe("patch");
  act(() => result.current.openGroup("read"));
  expect(result.current.viewId).toBe("heatmap");
  unmount();
  const next = renderHook(() => useOpenView(VIEWS));
  expect(next.result.current.viewId).toBe("standard");
  act(() => next.result.current.openGroup("read"));
  expect(next.result.current.viewId).toBe("heatmap");
});

test("an address with a view that does not exist opens the first", () => {
  const { result } = renderHook(() => useOpenView(VIEWS));
  act(() => result.current.open("attic"));
  expect(result.current.viewId).toBe("standard");
});

test("a note that could not be fetched is asked for again", async () => {
  let isAway = true;
  const note = { shows: "s", isNot: "n", source: { text: "t", href: "h" } };
  const { note: read } = defineView({
    id: "a",
    title: "A",
    group: "why",
    follows: "token",
    load: () => (isAway ? Promise.reject(new Error("away")) : Promise.resolve({ default: () => null, note })),
  });
  await expect(read()).rejects.toThrow("away");
  isAway = false;
  await expect(read()).resolves.toBe(note);
  expect(read()).toBe(read());
});
