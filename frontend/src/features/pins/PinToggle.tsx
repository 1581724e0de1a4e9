import clsx from "clsx";
import { cellTextOfText } from "@/model/tokens";
import { Icon } from "@/ui/Icon";
import { Refusable } from "@/ui/Refusable";
import { PINS_ARE_FULL, isPinned as isPinnedIn } from "./pins";
import { usePins } from "./pinsContext";

interface PinToggleProps {
  readonly tokenId: number;
  readonly text: string;
}

/** Pins a token to be followed in Trajectories, or lets it go. */
export function PinToggle({ tokenId, text }: PinToggleProps) {
  const { pins, isFull, pin, unpin } = usePins();
  const isPinned = isPinnedIn(pins, tokenId);
  const isRefused = isFull && !isPinned;
  return (
    <Refusable because={isRefused ? PINS_ARE_FULL : null}>
      <button
        type="button"
        aria-label={`Pin ${cellTextOfText(text)}`}
        aria-pressed={isPinned}
        title={
          isPinned
            ? "Followed in Trajectories; press to unpin"
            : "Follow this token over the layers in Trajectories"
        }
        onClick={() => {
          if (isPinned) unpin(tokenId);
          else pin([{ id: tokenId, text }]);
        }}
        className={clsx(
          "inline-grid size-6 shrink-0 place-items-center rounded-mark transition-colors",
          isPinned
            ? "bg-accent-soft text-accent"
            : isRefused
              ? "cursor-not-allowed text-quiet"
              : "text-quiet hover:bg-hover hover:text-ink",
        )}
      >
        <Icon name="pin" className="size-3.5" />
      </button>
    </Refusable>
  );
}
