import type { Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";
import { mostRead, sourceScale } from "./heads";
import { sourceName } from "./inWords";
import { KINDS, type Kind, formatValue, valueInWords } from "./kinds";
import { ValueBar } from "./ValueBar";

interface SourceListProps {
  readonly kind: Kind;
  readonly tokens: readonly Token[];
  /** By source. */
  readonly values: readonly number[];
  /** The first token that has a value. */
  readonly first: number;
  /** The first token sets the scale as well. */
  readonly withSink: boolean;
  /** The weight that goes to no token; null where the model has no such sink. */
  readonly learnedSink: number | null;
  /** The source under the pointer or the keyboard; null when there is none any more. */
  readonly onPoint: (source: number | null) => void;
  readonly onSelect: (source: number) => void;
}

/** More would be a list of small change; what they add up to is one line. */
const MAX_SOURCES = 14;

/** The sources by what is read of them, most first; a click selects one. */
export function SourceList(props: SourceListProps) {
  const { kind, tokens, values, first, withSink, learnedSink, onPoint, onSelect } = props;
  const max = sourceScale(values, withSink);
  const order = mostRead(values, first);
  const shown = order.slice(0, MAX_SOURCES);
  const others = order.slice(MAX_SOURCES);
  const rest = others.reduce((sum, source) => sum + (values[source] ?? 0), 0);
  return (
    <ol
      aria-label={kind === "readBy" ? "Reads it most" : "Most read"}
      className="grid grid-cols-[minmax(0,7rem)_max-content_minmax(1rem,1fr)_max-content] gap-x-2 text-label"
    >
      {shown.map((source) => {
        const token = tokens[source];
        const value = values[source] ?? 0;
        return (
          <li key={source} className="col-span-full grid grid-cols-subgrid">
            <button
              type="button"
              aria-label={`${sourceName(tokens, source)}: ${valueInWords(kind, value)}`}
              title={token === undefined ? undefined : `Select index ${source} (${token.role})`}
              onPointerEnter={() => onPoint(source)}
              onPointerLeave={() => onPoint(null)}
              onFocus={() => onPoint(source)}
              onBlur={() => onPoint(null)}
              onClick={() => onSelect(source)}
              className="col-span-full grid min-h-control-small grid-cols-subgrid items-center rounded-mark px-2 text-left hover:bg-hover max-md:min-h-11"
            >
              {token !== undefined && <TokenText parts={cellParts(token)} className="truncate font-medium" />}
              <span className="font-mono text-muted">{source === 0 ? "0 first" : source}</span>
              <ValueBar
                value={value}
                max={max}
                isSigned={KINDS[kind].isSigned}
                isQuiet={source === 0 && !withSink && values.length > 1}
              />
              <span className="text-right font-mono">{formatValue(kind, value)}</span>
            </button>
          </li>
        );
      })}
      {others.length > 0 && (
        <li className="col-span-full flex min-h-control-small items-center justify-between px-2 text-muted">
          {others.length === 1 ? "1 other token" : `${others.length} other tokens`}
          <span className="font-mono">{formatValue(kind, rest)}</span>
        </li>
      )}
      {learnedSink !== null && (
        <li className="col-span-full flex min-h-control-small items-center justify-between px-2 text-muted">
          no token (learned sink)
          <span className="font-mono">{formatValue(kind, learnedSink)}</span>
        </li>
      )}
    </ol>
  );
}
