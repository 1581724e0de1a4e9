import type { ComponentType, LazyExoticComponent } from "react";
import type { ViewProps } from "./timeline";

/** One entry of `views/registry.ts`: a way to look at the evidence for the selected token. */
export interface ViewDefinition {
  /** Stands in the address of the page. */
  readonly id: string;
  readonly title: string;
  /** Key that opens the view, `1` to `9`. */
  readonly shortcut: string;
  readonly Component: LazyExoticComponent<ComponentType<ViewProps>>;
}
