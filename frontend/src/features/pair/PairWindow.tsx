import { use } from "react";
import { useChat } from "@/features/chat/chat";
import { useTokenTimeline } from "@/features/evidence/shownTimeline";
import { useServer } from "@/features/server/server";
import { PopoverContext } from "@/ui/popoverContext";
import { PairPicker } from "./PairPicker";
import { usePairSide } from "./pairSide";
import { useOwnReply } from "./useOwnReply";

interface PairWindowProps {
  readonly onShowCompare: () => void;
}

/** The choices of B in the window of the chip. Choosing closes it and opens Compare. */
export default function PairWindow({ onShowCompare }: PairWindowProps) {
  const mode = useChat((chat) => chat.mode);
  const timeline = useTokenTimeline(null);
  const { model } = useServer();
  const pair = usePairSide(timeline, false);
  const ownReply = useOwnReply(timeline, model, pair);
  const close = use(PopoverContext);
  if (model === null) return <p className="text-muted">Waiting for the model…</p>;
  return (
    <PairPicker
      timeline={timeline}
      mode={mode}
      model={model}
      pair={pair}
      ownReply={ownReply}
      onChosen={() => {
        close();
        onShowCompare();
      }}
    />
  );
}
