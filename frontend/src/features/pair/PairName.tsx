import { useTokenTimeline } from "@/features/evidence/shownTimeline";
import { useServer } from "@/features/server/server";
import { nameOfB, usePairSide } from "./pairSide";
import { useOwnReply } from "./useOwnReply";

/** B in a few words. While it is mounted a reply that completes becomes B, whichever view is open. */
export default function PairName() {
  const timeline = useTokenTimeline(null);
  const { model } = useServer();
  const pair = usePairSide(timeline);
  const { isUnderWay } = useOwnReply(timeline, model, pair);
  const name = nameOfB(pair, pair.side?.title ?? null) ?? pair.text.draft ?? "";
  return (
    <span className="max-w-56 min-w-0 truncate">
      {name}
      {isUnderWay && pair.b.kind === "prompt" && <span className="text-muted">, generating…</span>}
    </span>
  );
}
