import { formatSigned } from "@/model/format";

interface SelfRepairProps {
  /** The change where nothing else responded: what the part added directly, gone. */
  readonly expected: number;
  readonly change: number;
  /** The part's bias is gone as well, and is not among what was expected. */
  readonly hasBiasApart: boolean;
}

/** The change of a logit difference beside the one to be expected; what lies between them is the model's response. */
export function SelfRepair({ expected, change, hasBiasApart }: SelfRepairProps) {
  const others = change - expected;
  const size = Math.max(Math.abs(expected), Math.abs(change));
  if (size === 0) return null;
  const bars = [
    { name: "Expected from its direct part", value: expected },
    { name: "Change", value: change },
  ];
  return (
    <div className="flex flex-wrap items-center gap-x-4 pt-1">
      <dl className="grid w-96 max-w-full grid-cols-[max-content_minmax(4rem,1fr)_3.5rem] items-center gap-x-2">
        {bars.map(({ name, value }) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="contents">
              <span
                aria-hidden="true"
                className="block h-2.5 forced-color-adjust-none"
                style={{
                  width: `${(100 * Math.abs(value)) / size}%`,
                  background: value < 0 ? "var(--data-minus)" : "var(--data-plus)",
                }}
              />
              <span className="text-right font-mono">{formatSigned(value)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p className="min-w-0 flex-1 basis-56 text-muted">
        {hasBiasApart ? "Its bias, later" : "Later"} parts and the final norm account for the other{" "}
        <b className="font-mono font-medium text-ink">{formatSigned(others)}</b>
        {others * expected < 0 && ": self-repair"}.
      </p>
    </div>
  );
}
