import { largest } from "./heads";
import { KINDS, type Kind, formatValue } from "./kinds";
import { type Message, sumsOf } from "./messages";
import { ValueBar } from "./ValueBar";

interface MessageBarsProps {
  readonly kind: Kind;
  readonly messages: readonly Message[];
  /** By source. */
  readonly values: readonly number[];
  readonly withSink: boolean;
}

/** What is read of each message. */
export function MessageBars({ kind, messages, values, withSink }: MessageBarsProps) {
  const sums = sumsOf(messages, values);
  const isSink = (at: number): boolean => messages[at]?.indices[0] === 0 && !withSink && messages.length > 1;
  const max = largest(sums.filter((_, at) => !isSink(at))) || 1;
  return (
    <section aria-label="By message" className="[contain:inline-size]">
      <h3 className="font-medium">By message</h3>
      <ul className="grid grid-cols-[max-content_max-content_minmax(1rem,1fr)_max-content] gap-x-2 text-label">
        {messages.map(({ name, indices }, at) => {
          const sum = sums[at] ?? 0;
          return (
            <li key={name} className="col-span-full grid min-h-control-small grid-cols-subgrid items-center">
              <span>{name}</span>
              <span className="text-right text-muted">
                {indices.length} {indices.length === 1 ? "token" : "tokens"}
              </span>
              <ValueBar value={sum} max={max} isSigned={KINDS[kind].isSigned} isQuiet={isSink(at)} />
              <span className="text-right font-mono">{formatValue(kind, sum)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
