import { formatCount } from "@/model/format";
import type { FinishReason, Timeline } from "@/model/timeline";

const ENDINGS: Record<FinishReason, string> = {
  stop: "by itself",
  length: "maximum of new tokens",
  context: "context full",
  cancelled: "stopped",
  interrupted: "interrupted",
};

/** Seed, length and ending of each reply of the conversation. */
export default function ReplyDetails({ timeline }: { readonly timeline: Timeline }) {
  const { turns, tokens } = timeline;
  return (
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
  );
}
