import clsx from "clsx";
import type { CSSProperties, ReactNode } from "react";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerLabel } from "@/model/layers";
import { type CellPart, cellPartsOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { TokenText } from "@/ui/TokenText";
import { distinctTexts } from "./chipTexts";
import { LayerRow } from "./LayerRow";
import { PredictionChip } from "./PredictionChip";
import { ROLES, type RowLayout, WIDE_ONLY, rowGrid } from "./rowLayout";

interface LayerTableProps {
  readonly caption: string;
  /** As in `rows`; null while they are read, then empty rows keep the place. */
  readonly layers: readonly LayerReading[] | null;
  /** The layers that have a row, the embedding first. */
  readonly rows: readonly number[];
  readonly topK: number;
  readonly layout: RowLayout;
  /** The token that is really there: its id, and how it is shown; null where nothing follows yet. */
  readonly actual: { readonly id: number; readonly parts: readonly CellPart[] } | null;
  /** Sets the full length of an entropy bar: that of a uniform prediction. Null until it is known. */
  readonly vocabularySize: number | null;
  readonly selectedLayer: number | null;
  readonly onSelectLayer: (layer: number) => void;
}

/** One row per layer, all as high, from the output down to the embedding. */
export function LayerTable({
  caption,
  layers,
  rows,
  topK,
  layout,
  actual,
  vocabularySize,
  selectedLayer,
  onSelectLayer,
}: LayerTableProps) {
  const maxEntropy =
    vocabularySize === null
      ? Math.max(...(layers ?? []).map((each) => each.entropy_nats), 1e-12)
      : Math.log(vocabularySize);
  const maxKl = Math.max(...(layers ?? []).map((each) => each.kl_to_final_nats), 1e-12);
  const nShown = Math.min(topK, layout.columns * layout.lines);
  return (
    <table {...ROLES.table} aria-busy={layers === null} className="block w-full border-collapse text-left">
      <caption className="sr-only">{caption}</caption>
      <thead {...ROLES.rowGroup} className="sticky top-0 z-10 block h-8 border-b border-line bg-raised">
        <tr {...ROLES.row} className={clsx(rowGrid(layout), "h-full text-label text-muted")}>
          <Head className="[grid-area:layer]">layer</Head>
          <Head className="[grid-area:top]">
            <span title={nShown < topK ? `The details of a layer show all ${topK}` : undefined}>
              top {nShown}
            </span>
            <Unit>token, probability</Unit>
          </Head>
          <Head className="[grid-area:actual]">
            <span className="flex min-w-0 items-baseline gap-1">
              {actual === null ? (
                "next token"
              ) : (
                <>
                  actual <TokenText parts={actual.parts} className="min-w-0 truncate text-ink" />
                </>
              )}
            </span>
            <Unit>rank, prob.</Unit>
          </Head>
          <Head className={clsx("text-right [grid-area:entropy]", WIDE_ONLY)}>
            entropy <Unit>nats</Unit>
          </Head>
          <Head className={clsx("text-right whitespace-nowrap [grid-area:kl]", WIDE_ONLY)}>
            <span title="KL(final ‖ layer)">{layout.isOneLine ? "KL" : "KL to final"}</span> <Unit>nats</Unit>
          </Head>
        </tr>
      </thead>
      <tbody {...ROLES.rowGroup} className="block">
        {rows.toReversed().map((layer, fromTop) => {
          const reading = layers?.[rows.length - 1 - fromTop] ?? null;
          return (
            <LayerRow
              key={layer}
              layer={layer}
              label={layerLabel(layer)}
              isSelected={selectedLayer === layer}
              layout={layout}
              onSelect={onSelectLayer}
            >
              <td {...ROLES.cell} className="h-full min-w-0 py-px [grid-area:top]">
                <Chips
                  predictions={reading?.predictions.slice(0, nShown) ?? []}
                  layout={layout}
                  actualId={actual?.id ?? null}
                />
              </td>
              <ActualCell reading={reading} layout={layout} />
              <BarCell
                area="entropy"
                text={reading === null ? "" : formatNats(reading.entropy_nats)}
                share={(reading?.entropy_nats ?? 0) / maxEntropy}
                hasText={layout.hasText}
              />
              <BarCell
                area="kl"
                text={reading === null ? "" : formatNats(reading.kl_to_final_nats)}
                share={(reading?.kl_to_final_nats ?? 0) / maxKl}
                hasText={layout.hasText}
              />
            </LayerRow>
          );
        })}
      </tbody>
    </table>
  );
}

interface ChipsProps {
  readonly predictions: LayerReading["predictions"];
  readonly layout: RowLayout;
  readonly actualId: number | null;
}

function Chips({ predictions, layout, actualId }: ChipsProps) {
  const { columns, lines, letters } = layout;
  const texts = distinctTexts(
    predictions.map(({ token_id, text }) => ({ id: token_id, parts: cellPartsOfText(text) })),
    letters,
  );
  return (
    <ol
      className="grid h-full gap-x-1 gap-y-0.5"
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridTemplateRows: `repeat(${lines}, minmax(0, 1fr))`,
      }}
    >
      {predictions.map((prediction, i) => (
        <PredictionChip
          key={prediction.token_id}
          prediction={prediction}
          parts={texts[i] ?? []}
          isActual={prediction.token_id === actualId}
          layout={layout}
        />
      ))}
    </ol>
  );
}

function Head({ className, children }: { readonly className: string; readonly children: ReactNode }) {
  return (
    <th {...ROLES.columnHeader} scope="col" className={clsx("min-w-0 leading-3.5 font-medium", className)}>
      {children}
    </th>
  );
}

function Unit({ children }: { readonly children: ReactNode }) {
  return (
    <span className={clsx("block truncate text-cell leading-3.5 font-normal text-quiet", WIDE_ONLY)}>
      {children}
    </span>
  );
}

interface ActualCellProps {
  readonly reading: LayerReading | null;
  readonly layout: RowLayout;
}

/** How this layer scores the token that is really there, inside the top-k or not. */
function ActualCell({ reading, layout: { isOneLine, hasText } }: ActualCellProps) {
  const actual = reading?.actual ?? null;
  const isFirst = actual?.rank === 1;
  return (
    <td {...ROLES.cell} className="min-w-0 overflow-hidden font-mono [grid-area:actual]">
      {reading !== null && (
        <span
          className={clsx(
            "flex whitespace-nowrap",
            isOneLine ? "items-center gap-1" : "flex-col items-start",
            !hasText && "text-[0px]",
          )}
        >
          <span
            className={clsx(
              "flex items-center gap-1 leading-3.5",
              hasText && "text-label",
              isFirst ? "font-medium" : "text-muted",
            )}
          >
            <span
              aria-hidden="true"
              className={clsx("size-1.5 rounded-full", isFirst ? "bg-data-actual" : "bg-transparent")}
            />
            {actual === null ? formatRank(null) : `#${formatRank(actual.rank)}`}
          </span>
          <span
            className={clsx(
              "leading-3.5 text-muted",
              hasText && "text-cell",
              isOneLine ? "@max-[34rem]:sr-only" : "pl-2.5",
            )}
          >
            {formatProbability(actual?.probability ?? null)}
          </span>
        </span>
      )}
    </td>
  );
}

interface BarCellProps {
  readonly area: "entropy" | "kl";
  readonly text: string;
  /** Length of the bar, 0 to 1. */
  readonly share: number;
  readonly hasText: boolean;
}

function BarCell({ area, text, share, hasText }: BarCellProps) {
  const style: CSSProperties = { gridArea: area };
  return (
    <td
      {...ROLES.cell}
      style={style}
      className={clsx("text-right font-mono text-label leading-3.5 whitespace-nowrap", WIDE_ONLY)}
    >
      <span className={clsx(!hasText && "sr-only")}>{text}</span>
      <span aria-hidden="true" className="ml-auto block h-[3px] w-12 max-w-full rounded-full bg-sunken">
        <span
          className="block h-full rounded-full bg-line-strong"
          style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }}
        />
      </span>
    </td>
  );
}
