import { useEffect, useState } from "react";
import { type TellingToken, tellingToken } from "@/model/tellingToken";
import type { Timeline } from "@/model/timeline";
import { IconButton } from "@/ui/Button";
import { useIsNarrow } from "@/ui/media";
import { QuotedToken } from "@/ui/TokenText";
import { useSelection } from "./selection";

interface SelectedForYouProps {
  readonly timeline: Timeline;
}

interface Chosen extends TellingToken {
  readonly reply: string;
}

/** Selects the most telling token of a reply that has ended while nothing is selected, once, and says so. */
export function SelectedForYou({ timeline }: SelectedForYouProps) {
  const { index, select } = useSelection();
  const isNarrow = useIsNarrow(); // there a selection opens the sheet over the text
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const { conversationId, tokens, turns, status } = timeline;
  const reply = `${conversationId ?? ""} ${tokens.length}`;
  const finish = turns.at(-1)?.finish ?? null;
  // What was kept of a stopped reply is only known when the server has stored it.
  const isComplete =
    status === "settled" && finish !== null && finish !== "cancelled" && finish !== "interrupted";
  const telling = isComplete ? tellingToken(timeline) : null;
  // Only a reply that was generated on this page has the read-outs that came with it.
  const isNew = telling !== null && tokens[telling.index]?.lens !== null;
  if (isNew && index === null && !isNarrow && chosen?.reply !== reply) setChosen({ ...telling, reply });
  useEffect(() => {
    if (chosen !== null) select(chosen.index);
  }, [chosen, select]);

  const token = chosen === null ? undefined : tokens[chosen.index];
  if (chosen === null || token === undefined || chosen.reply !== reply || chosen.index !== index) return null;
  return (
    <p role="status" className="mt-3 flex items-center gap-1 text-muted">
      <span>
        <QuotedToken token={token} /> is selected for you:{" "}
        {chosen.decided === null
          ? "the last new word of the reply."
          : `of the new words of the reply it is decided latest, at layer ${chosen.decided}.`}{" "}
        Select any other word to look into it.
      </span>
      <IconButton icon="close" label="Clear the selection" onClick={() => select(null)} />
    </p>
  );
}
