import { ChartLine } from "./ChartLine";
import type { LineLook } from "./lineLook";

/** A short piece of a line, as it is drawn in the chart. */
export function LineKey({ look }: { readonly look: LineLook }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 10" className="h-2.5 w-8 shrink-0">
      <ChartLine look={look} path="M0 5H32" points={[{ x: 16, y: 5 }]} />
    </svg>
  );
}
