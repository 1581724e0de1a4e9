import { linePath } from "@/charts/lines/chart";
import type { FitJob } from "@/types/schemas";

const [WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM] = [400, 150, 34, 52, 18];
const FLOOR = 1e-3;

interface FitCurveProps {
  readonly points: FitJob["result"]["curve"];
  readonly lens: FitJob["assumed"]["lens"];
  /** The whole time of the fit. */
  readonly seconds: number;
}

/** How the numbers of some layers fell while they were fitted, on a logarithmic scale. */
export function FitCurve({ points: all, lens, seconds }: FitCurveProps) {
  const points = all.filter(({ values }) => values.length > 0);
  const last = points.at(-1);
  if (last === undefined) return null;
  const shown =
    lens === "jacobian"
      ? "How far the Jacobians of the two halves of the text are apart, as a share of their mean"
      : "KL divergence from the output in nats, on the text that is fitted";
  const n = last.values.length;
  const layers = [...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (n - 1))))];
  const logs = points.flatMap(({ values }) => layers.map((layer) => log(values[layer])));
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
  const x = (at: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * at) / Math.max(seconds, last.seconds);
  const y = (value: number): number => 6 + ((HEIGHT - BOTTOM - 6) * (high - value)) / (high - low);
  const ticks = Array.from({ length: high - low + 1 }, (_, step) => low + step);
  const told = layers
    .map((layer) => `layer ${layer}: ${(last.values[layer] ?? 0).toPrecision(3)}`)
    .join(", ");
  return (
    <figure className="flex flex-col gap-1">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${shown}, now ${told}`}
        className="w-full text-ink"
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} className="stroke-line" />
            <text x={LEFT - 4} y={y(tick) + 4} textAnchor="end" className="fill-muted text-[12px]">
              {10 ** tick}
            </text>
          </g>
        ))}
        {layers.map((layer, index) => (
          <g key={layer} opacity={1 - (0.65 * (layers.length - 1 - index)) / layers.length}>
            <path
              d={linePath(points.map(({ seconds: at, values }) => ({ x: x(at), y: y(log(values[layer])) })))}
              fill="none"
              className="stroke-accent"
              strokeWidth={1.5}
            />
            <text x={x(last.seconds) + 4} y={y(log(last.values[layer])) + 4} className="fill-ink text-[12px]">
              {`L${layer}`}
            </text>
          </g>
        ))}
      </svg>
      <figcaption className="text-label text-muted">
        {shown}, over {Math.round(Math.max(seconds, last.seconds))} s.
      </figcaption>
    </figure>
  );
}

const log = (value: number | undefined): number => Math.log10(Math.max(FLOOR, value ?? FLOOR));
