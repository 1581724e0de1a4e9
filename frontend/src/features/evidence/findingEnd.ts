import { type ReactNode, createContext } from "react";

/** Stands at the end of every view's finding: what concerns the view as a whole, such as its limitations. */
export const FindingEnd = createContext<ReactNode>(null);
