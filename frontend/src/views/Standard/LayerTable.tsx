import clsx from "clsx";
import type { CSSProperties, ReactNode } from "react";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerLabel } from "@/model/layers";
import { type CellPart, cellPartsOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { TokenText } from "@/ui/TokenText";
import { useElementWidth } from "@/ui/useElementWidth";
import { distinctTexts } from "./chipTexts";
import { LayerRow } from "./LayerRow";
import { PredictionChip } from "./PredictionChip";
import { ROLES, ROW_GRID, WIDE_ONLY, chipLayout } from "./rowLayout";

interface LayerTableProps {
  readonly caption: string;
  /** Layer 0 first; null while they are read, then `nLayers` empty rows keep the place. */
  readonly layers: readonly LayerReading[] | null;
  readonly nLayers: number;
  readonly topK: number;
  /** The token that is really there: its id, and how it is shown; null where nothing follows yet. */
  readonly actual: { readonly id: number; readonly parts: readonly CellPart[] } | null;
  /** Sets the full length of an entropy bar: that of a uniform prediction. Null until it is known. */
  readonly vocabularySize: number | null;
  readonly selectedLayer: number | null;
  readonly onSelectLayer: (layer: number) => void;
}

/** px, until it is measured. */
const DEFAULT_WIDTH = 720;
/** Predictions that have a line of their own where there is room. */
const FULL_LINE = 5;

/** One row per layer, from the output down to the embedding. */
export function LayerTable({
  caption,
  layers,
  nLayers,
  topK,
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
  const rows = Array.from({ length: nLayers }, (_, i) => nLayers - 1 - i);
  const [table, width] = useElementWidth<HTMLTableElement>(DEFAULT_WIDTH);
  const { columns, letters } = chipLayout(width, topK);
  // Whoever wants more than a line of them gets more lines; else the others are in the layer's detail.
  const nShown = topK > FULL_LINE ? topK : columns;
  return (
    <table
      {...ROLES.table}
      ref={table}
      aria-busy={layers === null}
      className="block w-full border-collapse text-left"
    >
      <caption className="sr-only">{caption}</caption>
      <thead {...ROLES.rowGroup} className="sticky top-0 z-10 block border-b border-line bg-raised">
        <tr {...ROLES.row} className={clsx(ROW_GRID, "text-label text-muted")}>
          <Head className="[grid-area:layer]">layer</Head>
          <Head className="[grid-area:top]">
            <span title={nShown < topK ? `A selected layer shows all ${topK}` : undefined}>top {nShown}</span>
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
          <Head className={clsx("text-right [grid-area:kl]", WIDE_ONLY)}>
            KL to final <Unit>nats</Unit>
          </Head>
        </tr>
      </thead>
      <tbody {...ROLES.rowGroup} className="block">
        {rows.map((row) => {
          const reading = layers?.[row] ?? null;
          return (
            <LayerRow
              key={row}
              layer={reading?.layer ?? row}
              label={reading?.label ?? layerLabel(row)}
              isSelected={selectedLayer === (reading?.layer ?? row)}
              onSelect={onSelectLayer}
            >
              <td {...ROLES.cell} className="min-w-0 [grid-area:top]">
                <Chips
                  predictions={reading?.predictions.slice(0, nShown) ?? []}
                  columns={columns}
                  letters={letters}
                  actualId={actual?.id ?? null}
                />
              </td>
              <ActualCell reading={reading} />
              <BarCell
                area="entropy"
                text={reading === null ? "" : formatNats(reading.entropy_nats)}
                share={(reading?.entropy_nats ?? 0) / maxEntropy}
              />
              <BarCell
                area="kl"
                text={reading === null ? "" : formatNats(reading.kl_to_final_nats)}
                share={(reading?.kl_to_final_nats ?? 0) / maxKl}
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
  readonly columns: number;
  readonly letters: number;
  readonly actualId: number | null;
}

function Chips({ predictions, columns, letters, actualId }: ChipsProps) {
  const texts = distinctTexts(
    predictions.map(({ text }) => cellPartsOfText(text)),
    letters,
  );
  return (
    <ol className="grid min-h-7 gap-1" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
      {predictions.map((prediction, i) => (
        <PredictionChip
          key={prediction.token_id}
          prediction={prediction}
          parts={texts[i] ?? []}
          isActual={prediction.token_id === actualId}
        />
      ))}
    </ol>
  );
}

function Head({ className, children }: { readonly className: string; readonly children: ReactNode }) {
  return (
    <th {...ROLES.columnHeader} scope="col" className={clsx("min-w-0 py-1 font-medium", className)}>
      {children}
    </th>
  );
}

function Unit({ children }: { readonly children: ReactNode }) {
  return (
    <span className={clsx("block truncate text-cell font-normal text-quiet", WIDE_ONLY)}>{children}</span>
  );
}

/** How this layer scores the token that is really there, inside the top-k or not. */
function ActualCell({ reading }: { readonly reading: LayerReading | null }) {
  const actual = reading?.actual ?? null;
  const isFirst = actual?.rank === 1;
  return (
    <td {...ROLES.cell} className="min-w-0 font-mono [grid-area:actual]">
      {reading !== null && (
        <span className="flex flex-col items-start whitespace-nowrap">
          <span
            className={clsx(
              "flex items-center gap-1 text-label leading-3.5",
              isFirst ? "font-medium" : "text-muted",
            )}
          >
            <span
              aria-hidden="true"
              className={clsx("size-1.5 rounded-full", isFirst ? "bg-data-actual" : "bg-transparent")}
            />
            {actual === null ? formatRank(null) : `#${formatRank(actual.rank)}`}
          </span>
          <span className="pl-2.5 text-cell leading-3.5 text-muted">
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
}

function BarCell({ area, text, share }: BarCellProps) {
  const style: CSSProperties = { gridArea: area };
  return (
    <td
      {...ROLES.cell}
      style={style}
      className={clsx("text-right font-mono text-label leading-3.5 whitespace-nowrap", WIDE_ONLY)}
    >
      {text}
      <span
        aria-hidden="true"
        className="mt-0.5 ml-auto block h-[3px] w-12 max-w-full rounded-full bg-sunken"
      >
        <span
          className="block h-full rounded-full bg-line-strong"
          style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }}
        />
      </span>
    </td>
  );
}
