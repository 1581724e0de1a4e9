/** What the browser remembers: only what the person chose, and nothing of another tab is lost. */
import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { readStored, writeStored } from "@/base/stored";
import { forgetChoices, useChoices, visitChoices } from "@/features/choices/choices";
import { oneOf } from "@/features/choices/choiceSpec";
import { useSplit } from "@/features/layout/preferences";
import { SettingsProvider, useSettings } from "./settings";

const stored = (key: string): unknown => readStored<unknown>(key, (value) => value, null);

const openSettings = () => renderHook(useSettings, { wrapper: SettingsProvider }).result;

test("the lens of a link is used and does not become a habit, whatever is changed after it", () => {
  writeStored("settings", { lens: "tuned" });
  const page = openSettings();
  act(() => page.current.visit({ lens: "jacobian" }));
  expect(page.current.settings.lens).toBe("jacobian");
  act(() => page.current.update({ temperature: 0 }));
  expect(page.current.settings).toMatchObject({ lens: "jacobian", temperature: 0 });
  expect(openSettings().current.settings).toMatchObject({ lens: "tuned", temperature: 0 });
  act(() => page.current.update({ lens: "logit" }));
  expect(openSettings().current.settings.lens).toBe("logit");
});

const SPEC = {
  metric: oneOf(["probability", "entropy"], "probability"),
  ramp: oneOf(["viridis", "cividis"], "viridis"),
};

test("what a link chose in a view does not become a habit when another choice is changed", () => {
  const { result } = renderHook(() => useChoices("made-up", SPEC));
  act(() => visitChoices("made-up", { metric: "entropy" }));
  act(() => result.current[1]({ ramp: "cividis" }));
  expect(result.current[0]).toEqual({ metric: "entropy", ramp: "cividis" });
  expect(stored("view-made-up")).toEqual({ ramp: "cividis" });
});

test("two tabs keep each other's settings, choices and division of the page", () => {
  const [one, other] = [openSettings(), openSettings()];
  act(() => one.current.update({ temperature: 0.3 }));
  act(() => other.current.update({ maxNewTokens: 12 }));
  expect(openSettings().current.settings).toMatchObject({ temperature: 0.3, maxNewTokens: 12 });

  const { result: choices } = renderHook(() => useChoices("made-up", SPEC));
  writeStored("view-made-up", { metric: "entropy" }); // the other tab
  act(() => choices.current[1]({ ramp: "cividis" }));
  forgetChoices();
  expect(renderHook(() => useChoices("made-up", SPEC)).result.current[0]).toEqual({
    metric: "entropy",
    ramp: "cividis",
  });

  const { result: split } = renderHook(useSplit);
  writeStored("split", { percent: 60, maximised: null });
  act(() => split.current[1]({ maximised: "evidence" }));
  expect(stored("split")).toEqual({ percent: 60, maximised: "evidence" });
});
