import { MAX_PINNED_POSITIONS } from "@/features/pins/pins";
import { usePins } from "@/features/pins/pinsContext";
import type { Timeline } from "@/model/timeline";
import { Button, IconButton } from "@/ui/Button";
import { QuotedToken } from "@/ui/TokenText";
import { lineDash } from "./lineLook";
import type { ShownPosition } from "./series";

interface PinnedPositionsProps {
  readonly timeline: Timeline;
  /** The selected one first. */
  readonly positions: readonly ShownPosition[];
}

/** Where the lines are read: the selected position, which moves with the selection, and those that are kept. */
export function PinnedPositions({ timeline, positions }: PinnedPositionsProps) {
  const { state, pinPosition, unpinPosition } = usePins();
  const { conversationId, tokens } = timeline;
  const pinned = state.positions;
  const selected = positions[0]?.position ?? null;
  const isPinned = pinned.some((each) => each.position === selected);
  const isFull = pinned.length >= MAX_PINNED_POSITIONS;
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1 px-3 py-1">
      <ul aria-label="Positions" className="contents">
        {positions.map(({ slot, position }) => {
          const token = tokens[position];
          const canUnpin = pinned.some((each) => each.position === position);
          return (
            <li
              key={position}
              className="inline-flex min-h-8 max-w-full items-center gap-1.5 rounded-control border border-line pl-2 text-label"
            >
              <svg aria-hidden="true" viewBox="0 0 26 6" className="h-1.5 w-6.5 shrink-0 stroke-ink">
                <path d="M0 3H26" strokeWidth="1.5" strokeDasharray={lineDash(slot)} />
              </svg>
              <span className="min-w-0 truncate pr-2">
                {slot === 0 && <span className="text-muted">selected: </span>}
                index {position} {token !== undefined && <QuotedToken token={token} />}
              </span>
              {canUnpin && (
                <IconButton
                  icon="close"
                  label={`Unpin index ${position}`}
                  className="-ml-2 size-7"
                  onClick={() => unpinPosition(position)}
                />
              )}
            </li>
          );
        })}
      </ul>
      {conversationId !== null && selected !== null && !isPinned && !isFull && (
        <Button icon="pin" look="quiet" className="px-2" onClick={() => pinPosition(selected)}>
          Pin this position
        </Button>
      )}
      {isFull && (
        <p className="text-label text-muted">
          {MAX_PINNED_POSITIONS} positions are pinned, as many as there are dashes for. Unpin one to pin
          another.
        </p>
      )}
    </div>
  );
}
