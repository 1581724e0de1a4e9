/** The difference grid's cells as the table tells them. */
import type { TableColumn, TableContents } from "@/charts/heatmap/CellTable";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellTextOfText } from "@/model/tokens";
import type { Alignment } from "@/features/pair/alignment";
import { Choice } from "./Choice";
import { type Compared, differenceOf } from "./differences";
import { type FirstChoices, type Pair, pairOf } from "./pairColumns";
import { PairPlace } from "./PairPlace";

interface PairTable {
  readonly alignment: Alignment;
  readonly compared: Compared;
  readonly a: readonly Token[];
  readonly b: readonly Token[];
  /** The row of a layer of A. */
  readonly rowOf: (layer: number) => number;
}

/** Both tokens of each column, and of each cell both top-1 predictions, the divergences, and the chosen token. */
export function pairTable({ alignment, compared, a, b, rowOf }: PairTable): TableContents {
  const { pairs, target } = compared;
  const places = alignment.columns.map(pairOf);
  const of =
    <T,>(read: (pair: Pair, row: number) => T) =>
    (position: number, layer: number): T | null => {
      const pair = places[position] ?? null;
      return pair === null ? null : read(pair, rowOf(layer));
    };
  const choices = of((pair, row) => pairs.firstChoices(pair, row));
  const first = (side: "A" | "B", id: "aId" | "bId", probability: keyof FirstChoices): TableColumn[] => [
    {
      name: `${side}: top-1, id`,
      isText: true,
      cell: (position, layer) => {
        const chosen = choices(position, layer)?.[id];
        return chosen === undefined ? null : <Choice id={chosen} text={pairs.text(chosen)} />;
      },
    },
    {
      name: `${side}: probability`,
      cell: (position, layer) => formatProbability(choices(position, layer)?.[probability] ?? null),
    },
  ];
  const nats = (name: string, read: (pair: Pair, row: number) => number): TableColumn => {
    const value = of(read);
    return { name: `${name}, nats`, cell: (position, layer) => formatNats(value(position, layer)) };
  };
  return {
    unit: "Column",
    placeName: "read at",
    place: (position) => {
      const column = alignment.columns[position];
      return column === undefined ? null : <PairPlace column={column} a={a} b={b} />;
    },
    isRead: (position) => {
      const pair = places[position] ?? null;
      return pair !== null && pairs.isRead(pair);
    },
    absence: (position) => (places[position] === null ? "unaligned: nothing is compared" : null),
    columns: [
      ...first("A", "aId", "aProbability"),
      ...first("B", "bId", "bProbability"),
      nats("Jensen–Shannon", (pair, row) => pairs.jsNats(pair, row)),
      nats("KL(A ‖ B)", (pair, row) => pairs.klAToBNats(pair, row)),
      nats("KL(B ‖ A)", (pair, row) => pairs.klBToANats(pair, row)),
      ...(target === null ? [] : targetColumns(compared, target, of)),
    ],
  };
}

type Of = <T>(read: (pair: Pair, row: number) => T) => (position: number, layer: number) => T | null;

/** Of the token whose probability is compared; a dash where it is not read yet. */
function targetColumns(compared: Compared, target: NonNullable<Compared["target"]>, of: Of): TableColumn[] {
  const name =
    target.text === null ? `id ${target.tokenId}` : `${cellTextOfText(target.text)} (id ${target.tokenId})`;
  const place = of((pair, row) => target.target(pair, row));
  const difference = differenceOf("target");
  const minus = of((pair, row) => difference.value(compared, pair, row));
  return [
    {
      name: `${name} in A: probability`,
      cell: (position, layer) => formatProbability(place(position, layer)?.aProbability ?? null),
    },
    {
      name: `${name} in A: rank`,
      cell: (position, layer) => formatRank(place(position, layer)?.aRank ?? null),
    },
    {
      name: `${name} in B: probability`,
      cell: (position, layer) => formatProbability(place(position, layer)?.bProbability ?? null),
    },
    {
      name: `${name} in B: rank`,
      cell: (position, layer) => formatRank(place(position, layer)?.bRank ?? null),
    },
    {
      name: "B minus A",
      cell: (position, layer) => difference.format(minus(position, layer) ?? Number.NaN),
    },
  ];
}
