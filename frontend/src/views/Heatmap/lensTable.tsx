/** The heatmap's cells as the table tells them. */
import type { TableColumn, TableContents } from "@/charts/heatmap/CellTable";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellPartsOfText } from "@/model/tokens";
import type { LensColumns } from "@/reading/columns";
import type { RankColumns } from "@/reading/rankColumns";
import { TokenText } from "@/ui/TokenText";
import type { Metric } from "./metrics";
import { ReadPlace } from "./ReadPlace";

interface LensTable {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  /** A metric that is no column of its own gets one. */
  readonly metric: Metric;
  /** The token that is outlined in the grid. */
  readonly outlined: { readonly text: string; readonly ranks: RankColumns } | null;
}

/** What is read at each position, and of each cell its top-1 prediction, the actual next token, and the metrics. */
export function lensTable({ tokens, columns, metric, outlined }: LensTable): TableContents {
  const change: TableColumn = {
    name: "change, nats",
    cell: (position, layer) => metric.format(metric.value(columns, position, layer)),
  };
  return {
    unit: "Index",
    placeName: "read at → predicts",
    place: (position) => <ReadPlace tokens={tokens} position={position} />,
    isRead: (position) => columns.isRead(position),
    absence: () => null,
    columns: [
      {
        name: "top-1",
        isText: true,
        cell: (position, layer) => {
          const first = columns.cell(position, layer)?.predictions[0];
          return first === undefined ? null : <TokenText parts={cellPartsOfText(first.text)} />;
        },
      },
      {
        name: "probability",
        cell: (position, layer) =>
          formatProbability(columns.cell(position, layer)?.predictions[0]?.probability ?? null),
      },
      {
        name: "actual: rank",
        cell: (position, layer) => formatRank(columns.cell(position, layer)?.nextRank ?? null),
      },
      {
        name: "actual: probability",
        cell: (position, layer) => formatProbability(columns.cell(position, layer)?.nextProbability ?? null),
      },
      ...(metric.isSigned ? [change] : []),
      {
        name: "entropy, nats",
        cell: (position, layer) => formatNats(columns.cell(position, layer)?.entropyNats ?? null),
      },
      {
        name: "KL, nats",
        cell: (position, layer) => formatNats(columns.cell(position, layer)?.klToFinalNats ?? null),
      },
      ...(outlined === null ? [] : outlinedColumns(outlined)),
    ],
  };
}

const outlinedColumns = ({ text, ranks }: NonNullable<LensTable["outlined"]>): TableColumn[] => [
  {
    name: `${text}: rank`,
    cell: (position, layer) => formatRank(ranks.place(position, layer)?.rank ?? null),
  },
  {
    name: `${text}: probability`,
    cell: (position, layer) => formatProbability(ranks.place(position, layer)?.probability ?? null),
  },
];
