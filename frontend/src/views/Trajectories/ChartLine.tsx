import type { Point } from "@/charts/lines/chart";
import type { LineLook } from "./lineLook";

interface ChartLineProps {
  readonly look: LineLook;
  /** The outline of the line. */
  readonly path: string;
  /** Where its marks are. */
  readonly points: readonly Point[];
}

/** A line with its marks, as it is drawn in the chart and in the legend. */
export function ChartLine({ look: { strokes, dash, mark }, path, points }: ChartLineProps) {
  return (
    <g data-part="line">
      {strokes.map(({ paint, width }) => (
        <path
          key={paint}
          d={path}
          fill="none"
          stroke={`var(--${paint})`}
          strokeWidth={width}
          strokeDasharray={dash}
          strokeLinejoin="round"
        />
      ))}
      <g stroke={`var(--${mark.stroke})`} fill={`var(--${mark.fill})`} strokeWidth={mark.width}>
        {points.map(({ x, y }) => (
          <path key={x} d={mark.outline} transform={`translate(${x} ${y})`} />
        ))}
      </g>
    </g>
  );
}
