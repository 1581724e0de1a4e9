import type { ComponentType } from "react";
import type { Citation } from "@/model/citation";
import type { Timeline } from "@/model/timeline";

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

/** One entry of `app/views.ts`: a way to look at the evidence for the selected token. */
export interface ViewDefinition {
  /** Stands in the address of the page. */
  readonly id: string;
  readonly title: string;
  /** Key that opens the view, `1` to `9`. */
  readonly shortcut: string;
  /**
   * `token`: the view shows the selected token, and is not rendered with each token of a reply.
   * `text`: it shows the whole text as it grows.
   */
  readonly follows: "token" | "text";
  readonly note: ViewNote;
  readonly Component: ComponentType<ViewProps>;
}
