import clsx from "clsx";
import type { ReactNode } from "react";
import { useChat } from "@/features/chat/chat";
import { RangeLine } from "@/features/selection/RangeLine";
import { useSelection } from "@/features/selection/selection";
import { cellParts } from "@/model/tokens";
import { IconButton } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { TokenText } from "@/ui/TokenText";
import type { SheetHeight } from "./evidenceSheet";

const HEIGHTS: Record<SheetHeight, string> = {
  closed: "max-md:h-[45px]",
  half: "max-md:h-[72%] max-md:short:h-full",
  full: "max-md:h-full",
};

interface EvidenceSheetProps {
  readonly height: SheetHeight;
  readonly onResize: (height: SheetHeight) => void;
  readonly className?: string;
  /** Gets the controls of the open sheet, to place them in its own head; null where there is no sheet. */
  readonly children: (controls: ReactNode) => ReactNode;
}

/** The evidence: beside the conversation, or on a narrow screen a sheet at its foot that opens with the first token. */
export function EvidenceSheet({ height, onResize, className, children }: EvidenceSheetProps) {
  const { index, isExtending } = useSelection();
  const token = useChat(({ timeline }) => (index === null ? undefined : timeline.tokens[index]));
  // While the end of a range is to be pressed in the text, the text has the room.
  const shown = isExtending ? "closed" : height;
  const isClosed = shown === "closed";
  return (
    <section
      aria-label="Evidence"
      data-tour="evidence"
      data-focus-home="[role=tab][aria-selected=true]"
      className={clsx(
        "touch-sized flex min-h-0 min-w-0 shrink-0 flex-col bg-raised max-md:border-t max-md:border-line-strong md:flex-1",
        HEIGHTS[shown],
        className,
      )}
    >
      {isExtending && (
        <div className="flex h-11 shrink-0 items-center px-3 md:hidden">
          <RangeLine />
        </div>
      )}
      {isClosed && !isExtending && (
        <button
          type="button"
          aria-expanded={false}
          onClick={() => onResize("half")}
          className="flex h-11 shrink-0 items-center gap-2 px-3 text-left hover:bg-hover md:hidden"
        >
          <Icon name="up" className="text-muted" />
          <span className="font-medium">Evidence</span>
          {token !== undefined && (
            <span className="truncate text-muted">
              for <TokenText parts={cellParts(token)} />
            </span>
          )}
        </button>
      )}
      <div className={clsx("flex min-h-0 flex-1 flex-col", isClosed && "max-md:hidden")}>
        {children(
          <span className="flex md:hidden">
            <IconButton
              icon={height === "full" ? "collapse" : "expand"}
              label={
                height === "full" ? "Show the conversation as well" : "Fill the screen with the evidence"
              }
              className="short:hidden"
              onClick={() => onResize(height === "full" ? "half" : "full")}
            />
            <IconButton icon="down" label="Close the evidence" onClick={() => onResize("closed")} />
          </span>,
        )}
      </div>
    </section>
  );
}
