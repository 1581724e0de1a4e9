/** The views by the question that they answer, and which one of each group was open last. */
import { useCallback, useRef, useState } from "react";
import { readStored, writeStored } from "@/base/stored";
import type { ViewDefinition, ViewGroup } from "./view";

const GROUPS: readonly { readonly id: ViewGroup; readonly title: string }[] = [
  { id: "read", title: "Read" },
  { id: "why", title: "Why" },
  { id: "change", title: "Change" },
];

interface GroupOfViews {
  readonly id: ViewGroup;
  readonly title: string;
  readonly views: readonly ViewDefinition[];
}

/** The groups that have a view, in their order. */
export const groupsOf = (views: readonly ViewDefinition[]): readonly GroupOfViews[] =>
  GROUPS.map((group) => ({ ...group, views: views.filter((view) => view.group === group.id) })).filter(
    (group) => group.views.length > 0,
  );

type LastViews = Partial<Record<ViewGroup, string>>;

const STORED_AS = "last-views";

function parseLastViews(stored: unknown): LastViews | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const ids = new Map<string, unknown>(Object.entries(stored));
  return Object.fromEntries(
    GROUPS.flatMap(({ id }) => {
      const last = ids.get(id);
      return typeof last === "string" ? [[id, last]] : [];
    }),
  );
}

const storedLastViews = (): LastViews => readStored(STORED_AS, parseLastViews, {});

export interface OpenView {
  readonly viewId: string;
  /** Opens a view; an id that no view has opens the first. */
  readonly open: (viewId: string | null) => void;
  /** Opens the view of the group that was open last, at first its first. */
  readonly openGroup: (group: ViewGroup) => void;
  /** Opens a view that nobody asked for: only while nobody has opened one. */
  readonly suggest: (viewId: string) => void;
}

/** Which view is open. The last view of each group is remembered by the browser. */
export function useOpenView(views: readonly ViewDefinition[]): OpenView {
  const first = views[0]?.id ?? "";
  const [viewId, setViewId] = useState(first);
  const isAsked = useRef(false);
  const open = useCallback(
    (id: string | null) => {
      const view = views.find((each) => each.id === id);
      setViewId(view?.id ?? first);
      if (view === undefined) return;
      isAsked.current = true;
      writeStored(STORED_AS, { ...storedLastViews(), [view.group]: view.id });
    },
    [views, first],
  );
  const openGroup = useCallback(
    (group: ViewGroup) => {
      const all = views.filter((view) => view.group === group);
      const last = storedLastViews()[group];
      const view = all.find(({ id }) => id === last) ?? all[0];
      if (view !== undefined) open(view.id);
    },
    [views, open],
  );
  const suggest = useCallback((id: string) => {
    if (!isAsked.current) setViewId(id);
  }, []);
  return { viewId, open, openGroup, suggest };
}
