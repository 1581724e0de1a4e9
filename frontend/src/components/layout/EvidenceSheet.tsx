import clsx from "clsx";
import { type ReactNode, useState } from "react";
import { TokenText } from "@/components/lens/TokenText";
import { IconButton } from "@/components/ui/Button";
import { Icon } from "@/components/ui/Icon";
import { cellParts } from "@/lib/tokens";
import type { Token } from "@/types/timeline";

type Height = "closed" | "half" | "full";

const HEIGHTS: Record<Height, string> = {
  closed: "max-md:h-11",
  half: "max-md:h-[52dvh]",
  full: "max-md:h-[calc(100dvh-3rem)]",
};

interface EvidenceSheetProps {
  readonly token: Token | undefined;
  readonly className?: string;
  readonly children: ReactNode;
}

/** The evidence: beside the conversation, or on a narrow screen a sheet at its foot that opens with the first token. */
export function EvidenceSheet({ token, className, children }: EvidenceSheetProps) {
  const [height, setHeight] = useState<Height>("closed");
  const [seenToken, setSeenToken] = useState<number | null>(null);
  const index = token?.index ?? null;
  if (index !== seenToken) {
    setSeenToken(index);
    if (index !== null && height === "closed") setHeight("half");
  }
  const isClosed = height === "closed";
  return (
    <section
      aria-label="Evidence"
      className={clsx(
        "flex min-h-0 min-w-0 shrink-0 flex-col bg-raised max-md:border-t max-md:border-line-strong md:flex-1",
        HEIGHTS[height],
        className,
      )}
    >
      <div className="flex h-11 shrink-0 items-center gap-1 px-2 md:hidden">
        <button
          type="button"
          aria-expanded={!isClosed}
          onClick={() => setHeight(isClosed ? "half" : "closed")}
          className="flex h-9 min-w-0 flex-1 items-center gap-2 rounded-control px-1 text-left hover:bg-hover"
        >
          <Icon name={isClosed ? "up" : "down"} className="text-muted" />
          <span className="font-medium">Evidence</span>
          {token !== undefined && isClosed && (
            <span className="truncate text-muted">
              for <TokenText parts={cellParts(token)} />
            </span>
          )}
        </button>
        {!isClosed && (
          <IconButton
            icon={height === "full" ? "collapse" : "expand"}
            label={height === "full" ? "Show the conversation as well" : "Fill the screen with the evidence"}
            onClick={() => setHeight(height === "full" ? "half" : "full")}
          />
        )}
      </div>
      <div className={clsx("flex min-h-0 flex-1 flex-col", isClosed && "max-md:hidden")}>{children}</div>
    </section>
  );
}
