import type { ReactNode } from "react";
import { formatSigned } from "@/model/format";
import type { Token } from "@/model/timeline";
import { QuotedToken } from "@/ui/TokenText";
import { partName } from "./partNames";
import type { PartRow, RowKind } from "./parts";

interface ReasonProps {
  readonly row: PartRow;
  /** All parts together. */
  readonly difference: number;
  readonly tokens: readonly Token[];
}

/** Less of a difference is not worth a share of it. */
const LEAST_DIFFERENCE = 0.05;
/** A part that takes back this much of the largest one is worth a word. */
const WORTH_TELLING = 0.25;

/** Why an open row is as large as it is, in one line, from the numbers of its parts. */
export function Reason({ row, difference, tokens }: ReasonProps) {
  const parts = (row.children ?? []).filter(({ kind }) => kind !== "rest");
  const leader = farthest(parts);
  if (leader === undefined) return null;
  const against = farthest(parts.filter(({ contribution }) => contribution * leader.contribution < 0));
  const share = row.contribution / difference;
  const isMost = leader.contribution / row.contribution >= 0.5;
  const name = (part: PartRow): ReactNode => <PartInProse row={part} tokens={tokens} />;
  return (
    <>
      {row.contribution < 0 ? "Takes" : "Adds"} {formatSigned(row.contribution)}
      {Math.abs(difference) >= LEAST_DIFFERENCE &&
        share > 0 &&
        `, ${percent(share)} of ${formatSigned(difference)}`}
      {isMost ? (
        <>
          , most of it {FROM[row.kind] ?? "from"} {name(leader)}: {formatSigned(leader.contribution)}
        </>
      ) : (
        <>
          ; no {ONE_OF[row.kind] ?? "part"} makes half of it, the largest is {name(leader)}:{" "}
          {formatSigned(leader.contribution)}
        </>
      )}
      {against !== undefined &&
        Math.abs(against.contribution) >= WORTH_TELLING * Math.abs(leader.contribution) && (
          <>
            ; against it {name(against)}: {formatSigned(against.contribution)}
          </>
        )}
      .
    </>
  );
}

const FROM: Partial<Record<RowKind, string>> = { head: "read from", mlp: "by" };
const ONE_OF: Partial<Record<RowKind, string>> = { attn: "head", head: "word", mlp: "neuron" };

const farthest = (rows: readonly PartRow[]): PartRow | undefined =>
  rows.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))[0];

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function PartInProse({ row, tokens }: { readonly row: PartRow; readonly tokens: readonly Token[] }) {
  const word = row.source === null ? undefined : tokens[row.source];
  if (word !== undefined) return <QuotedToken token={word} />;
  const name = partName(row);
  return <>{name === "MLP" ? name : name.toLowerCase()}</>;
}
