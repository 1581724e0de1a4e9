import { formatProbability, formatRank, formatSurprisal } from "@/model/format";
import type { Role, Token } from "@/model/timeline";
import { byteList } from "@/model/tokens";
import type { TokenScore } from "./tokenScore";

const ROLES: Record<Role, string> = {
  template: "the template",
  system: "the system prompt",
  user: "your text",
  // Also a token that a person put there to branch is one of the reply.
  assistant: "the reply",
};

interface TokenDetailsProps {
  readonly token: Token;
  readonly score: TokenScore | null;
}

/** All that is known of the token and has no room in the line. */
export default function TokenDetails({ token, score }: TokenDetailsProps) {
  const facts: readonly (readonly [string, string])[] = [
    ["Index", `${token.index}`],
    ["Id", `${token.id}`],
    ["Bytes", byteList(token)],
    ["Part of", ROLES[token.role]],
    ...(score === null
      ? []
      : ([
          ["Rank", formatRank(score.rank)],
          ["Probability", formatProbability(Math.exp(score.logprobNats))],
          ["Surprisal", `${formatSurprisal(score.logprobNats)} nats`],
        ] as const)),
  ];
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="font-mono break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
