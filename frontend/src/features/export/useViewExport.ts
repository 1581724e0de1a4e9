/**
 * The open view as the rest of the page sees it: its export and its own commands for the palette.
 * Readers re-render when an export or command appears, disappears or is renamed, not on every render.
 */
import { useEffect, useSyncExternalStore } from "react";
import type { ViewExport } from "./viewExport";

export interface Command {
  /** What it does, as it is listed: `Colour by entropy`. */
  readonly label: string;
  readonly run: () => void;
}

export interface OpenView {
  /** Exports what is on the screen when it is called, or says why there is nothing yet. */
  readonly viewExport: (() => Promise<ViewExport>) | string;
  readonly commands: readonly Command[];
}

const NOTHING: OpenView = { viewExport: "There is nothing to export yet.", commands: [] };

/** As of the view's latest render. */
let latest = NOTHING;
/** The same behind functions that stay what they are while their names do. */
let published = NOTHING;
const listeners = new Set<() => void>();

/** What a reader can see of it without calling anything. */
const outline = ({ viewExport, commands }: OpenView): string =>
  JSON.stringify([typeof viewExport === "string" ? viewExport : null, commands.map(({ label }) => label)]);

async function exportLatest(): Promise<ViewExport> {
  const { viewExport } = latest;
  if (typeof viewExport === "string") throw new Error(viewExport);
  return viewExport();
}

function publish(next: OpenView): void {
  const isAlike = outline(next) === outline(latest);
  latest = next;
  if (isAlike) return;
  published = {
    viewExport: typeof next.viewExport === "string" ? next.viewExport : exportLatest,
    commands: next.commands.map(({ label }, i) => ({ label, run: () => latest.commands[i]?.run() })),
  };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** One view is mounted at a time; its latest render counts. */
export function useViewExport(
  viewExport: OpenView["viewExport"],
  commands: readonly Command[] = NOTHING.commands,
): void {
  useEffect(() => publish({ viewExport, commands }));
  useEffect(() => () => publish(NOTHING), []);
}

/** What the open view gives now. */
export const useOpenView = (): OpenView => useSyncExternalStore(subscribe, () => published);
