/** What the tests of the heatmap begin with: a server, a conversation of their own, and where to look. */
import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import type { Timeline } from "@/model/timeline";
import { madeUpTimeline, madeUpTokens } from "./lensData";
import { type FakeServer, fakeServer } from "./renderView";

export const tokens = madeUpTokens(30);
export let server: FakeServer;
export let timeline: Timeline;
let serial = 0;

/** Gives each test of a file its `server` and its `timeline`. */
export function setUpHeatmap(): void {
  beforeEach(() => {
    server = fakeServer(tokens);
    // What was read of a conversation is kept, so each test has one of its own.
    serial += 1;
    timeline = madeUpTimeline(tokens, `heatmap-${serial}`);
  });
  afterEach(() => vi.unstubAllGlobals());
}

export const grid = () => screen.findByRole("grid");
export const allRead = () => screen.findByText("30 of 30 positions read");
export const activeCell = () => within(screen.getByRole("grid")).getByRole("gridcell");
