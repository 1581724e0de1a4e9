import type { ComponentType } from "react";
import type { Citation } from "@/model/citation";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { lazyPart } from "@/ui/lazyPart";

/** What every view of `app/views.ts` is given. */
export interface ViewProps {
  readonly timeline: Timeline;
}

/** What a view shows and what may not be read from it, with the one source to read on. */
export interface ViewNote {
  readonly shows: string;
  readonly isNot: string;
  readonly source: Citation;
}

/** Read: what can be decoded. Why: where it came from. Change: what follows when it is altered. */
export type ViewGroup = "read" | "why" | "change";

interface ViewSpec {
  /** Stands in the address of the page. */
  readonly id: string;
  readonly title: string;
  readonly group: ViewGroup;
  /**
   * `token`: the view shows the selected token, and is not rendered with each token of a reply.
   * `text`: it shows the whole text as it grows.
   */
  readonly follows: "token" | "text";
  /** Both timelines of a pair are in the view; the others show A only. */
  readonly showsPair?: boolean;
  /** Why this model cannot serve the view, in a sentence; null where it can. */
  readonly needs?: (model: ModelInfo) => string | null;
  /** The module of the view, fetched when it is first opened. */
  readonly load: () => Promise<{ readonly default: ComponentType<ViewProps>; readonly note: ViewNote }>;
}

interface DefinedView extends Required<Omit<ViewSpec, "load">> {
  readonly Component: ComponentType<ViewProps>;
  /** Fetches the view's code, so that it is there when the view is opened. */
  readonly preload: () => void;
  /** Comes with the view's code: the same promise until it fails. */
  readonly note: () => Promise<ViewNote>;
}

/** A way to look at the evidence for the selected token. */
export interface ViewDefinition extends DefinedView {
  /** Key that opens the view, `1` to `9`; null beyond. */
  readonly shortcut: string | null;
}

export function defineView({ load, needs = () => null, showsPair = false, ...spec }: ViewSpec): DefinedView {
  let loaded: ReturnType<typeof load> | null = null;
  let note: Promise<ViewNote> | null = null;
  const module = () =>
    (loaded ??= load().catch((cause: unknown) => {
      loaded = note = null;
      throw cause;
    }));
  return {
    ...spec,
    showsPair,
    needs,
    Component: lazyPart(module),
    // Opening the view tells what failed.
    preload: () => void module().catch(() => undefined),
    note: () => (note ??= module().then((view) => view.note)),
  };
}

const MAX_KEYS = 9;

export const withKeys = (views: readonly DefinedView[]): readonly ViewDefinition[] =>
  views.map((view, i) => ({ ...view, shortcut: i < MAX_KEYS ? `${i + 1}` : null }));

export const tabId = (viewId: string): string => `tab-${viewId}`;
export const panelId = (viewId: string): string => `panel-${viewId}`;
