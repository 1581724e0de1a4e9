import { useState } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { formatProbability, formatScore, formatSigned } from "@/model/format";
import type { ModelIdentity } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { ModelInfo, PatchResponse } from "@/types/schemas";
import { Button } from "@/ui/Button";
import type { Cell, PatchDirection } from "./choices";
import type { PatchTexts } from "./texts";
import { type PatchPart, usePatches } from "./usePatch";

interface PatchedRunsProps {
  readonly texts: PatchTexts;
  readonly direction: PatchDirection;
  readonly model: ModelInfo;
  readonly identity: ModelIdentity | null;
  readonly cell: Cell;
}

const WHOLE: readonly PatchPart[] = [{ site: "resid" }];
const SHOWN = 3;

/** The patched run beside its two ends, and on demand the parts of the block that it is due to. */
export default function PatchedRuns({ texts, direction, model, identity, cell }: PatchedRunsProps) {
  const [reading] = usePatches(texts, direction, identity, cell, WHOLE);
  const [refined, setRefined] = useState<Cell | null>(null);
  const [from, into] = direction === "denoise" ? (["A", "B"] as const) : (["B", "A"] as const);
  const [tokenA, tokenB] = [texts.a.tokens[cell.a], texts.b.tokens[cell.b]];
  const answer = reading?.data ?? null;
  if (reading === undefined || tokenA === undefined || tokenB === undefined) return null;
  return (
    <section aria-label="Patched run" className="shrink-0 border-t border-line px-3 py-2">
      <p>
        Layer {cell.layer} of{" "}
        <span className="font-mono">{cellText(direction === "denoise" ? tokenA : tokenB)}</span> in {from} is
        put in the place of{" "}
        <span className="font-mono">{cellText(direction === "denoise" ? tokenB : tokenA)}</span> in {into}.
      </p>
      <ReadingFrame reading={reading} what="The patched run" hasData={answer !== null}>
        {answer === null ? (
          <p className="py-2 text-muted">Running it…</p>
        ) : (
          <Runs answer={answer} from={from} into={into} />
        )}
      </ReadingFrame>
      {answer !== null && cell.layer > 0 && model.capabilities.sublayers.available && (
        <div className="pt-2">
          {refined === cell ? (
            <Refined texts={texts} direction={direction} model={model} identity={identity} cell={cell} />
          ) : (
            <Button onClick={() => setRefined(cell)}>
              Refine: attention, MLP and heads of block {cell.layer}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function Runs({
  answer,
  from,
  into,
}: {
  readonly answer: PatchResponse;
  readonly from: string;
  readonly into: string;
}) {
  const { predictions } = answer;
  const ends = {
    A: { value: answer.clean, top: predictions.clean },
    B: { value: answer.corrupt, top: predictions.corrupt },
  };
  const rows = [
    { name: `${from} alone`, ...ends[from === "A" ? "A" : "B"] },
    { name: `${into}, patched`, value: answer.patched, top: predictions.patched },
    { name: `${into} alone`, ...ends[into === "A" ? "A" : "B"] },
  ];
  const metric = `“${cellTextOfText(answer.answer.text)}” less “${cellTextOfText(answer.foil.text)}”`;
  return (
    <>
      <p className="py-1">
        Score <span className="font-mono font-semibold">{formatScore(answer.score)}</span>
        <span className="text-muted">
          {" "}
          on the way from {into} alone, 0, to {from} alone, 1
        </span>
      </p>
      <table className="text-cell">
        <thead>
          <tr className="text-left text-muted">
            <th className="pr-4 font-normal">Run</th>
            <th className="pr-4 text-right font-normal">Logit of {metric}</th>
            <th className="font-normal">Most probable next tokens</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, value, top }) => (
            <tr key={name} className="border-t border-line align-baseline">
              <th scope="row" className="pr-4 text-left font-medium whitespace-nowrap">
                {name}
              </th>
              <td className="pr-4 text-right font-mono">{formatSigned(value)}</td>
              <td className="font-mono">
                {top.slice(0, SHOWN).map(({ token_id, text, probability }) => (
                  <span key={token_id} className="mr-3 inline-block whitespace-nowrap">
                    {cellTextOfText(text)}{" "}
                    <span className="text-muted">{formatProbability(probability)}</span>
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** The same cell, part by part of the block below it. */
function Refined({ texts, direction, model, identity, cell }: PatchedRunsProps) {
  const nHeads = model.capabilities.heads.available ? (model.num_heads ?? 0) : 0;
  const parts: readonly PatchPart[] = [
    { site: "attn" },
    { site: "mlp" },
    ...Array.from({ length: nHeads }, (_, head): PatchPart => ({ site: "head", heads: [head] })),
  ];
  const readings = usePatches(texts, direction, identity, cell, parts);
  return (
    <ul
      aria-label={`Parts of block ${cell.layer}`}
      className="grid w-max max-w-full grid-cols-[max-content_max-content] gap-x-4 text-cell"
    >
      {parts.map((part, i) => {
        const reading = readings[i];
        return (
          <li key={i} className="col-span-full grid grid-cols-subgrid">
            <span>{nameOfPart(part)}</span>
            <span className="text-right font-mono">
              {reading?.data !== null && reading?.data !== undefined
                ? formatScore(reading.data.score)
                : reading?.error !== null && reading?.error !== undefined
                  ? reading.error.message
                  : "…"}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

const nameOfPart = ({ site, heads }: PatchPart): string =>
  site === "attn" ? "Attention" : site === "mlp" ? "MLP" : `Head ${heads?.[0] ?? ""}`;
