import { useSelection } from "@/features/selection/selection";
import { formatCount } from "@/model/format";
import type { FinishReason, Timeline, Token } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { PopoverClose } from "@/ui/Popover";

const ENDINGS: Record<FinishReason, string> = {
  stop: "by itself",
  length: "maximum of new tokens",
  context: "context full",
  cancelled: "stopped",
  interrupted: "interrupted",
};

/** Minus infinity where it is not known. */
const surprisal = (token: Token | null): number => -(token?.logprob_nats ?? Number.POSITIVE_INFINITY);

/** Seed, length and ending of each reply of the conversation. */
export default function ReplyDetails({ timeline }: { readonly timeline: Timeline }) {
  const { turns, tokens } = timeline;
  const { select } = useSelection();
  const strongest = tokens
    .slice(turns.at(-1)?.replyStart)
    .reduce<Token | null>((most, token) => (surprisal(token) > surprisal(most) ? token : most), null);
  return (
    <>
      <table className="text-label">
        <thead>
          <tr className="text-left text-muted">
            {["Reply", "Seed", "Tokens", "Ended"].map((name) => (
              <th key={name} scope="col" className="px-2 py-1 font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {turns.map(({ replyStart, seed, finish }, number) => {
            const end = turns[number + 1]?.promptStart ?? tokens.length;
            const length = tokens.slice(replyStart, end).filter(({ role }) => role === "assistant").length;
            return (
              <tr key={replyStart}>
                <th scope="row" className="px-2 py-1 text-left font-normal">
                  {number + 1}
                </th>
                <td className="px-2 py-1 font-mono select-text">{seed ?? "not known"}</td>
                <td className="px-2 py-1">{formatCount(length)}</td>
                <td className="px-2 py-1">{finish === null ? "not yet" : ENDINGS[finish]}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {strongest !== null && (
        <p className="flex items-center gap-2 px-2 pt-1 text-label">
          Highest surprisal of the last reply: {surprisal(strongest).toFixed(2)} nats at index{" "}
          {strongest.index}
          <PopoverClose>
            <Button look="quiet" className="px-2" onClick={() => select(strongest.index)}>
              Select
            </Button>
          </PopoverClose>
        </p>
      )}
    </>
  );
}
