import { type PointerEvent, type ReactNode, use } from "react";
import { FindingEnd } from "./findingEnd";

interface FindingProps {
  /** The sentence. */
  readonly children: ReactNode;
  /** The step that follows from it; never cut. */
  readonly next?: ReactNode;
}

/** The finding of a view, first in it and on one line; where it does not fit, the pointer shows it in full. */
export function Finding({ children, next }: FindingProps) {
  return (
    <div className="flex min-h-8 shrink-0 items-center gap-x-3 border-b border-line bg-raised px-3 py-1 max-md:py-0.5">
      <p data-part="finding" onPointerEnter={showInFull} className="min-w-0 truncate text-muted">
        {children}
      </p>
      <span className="shrink-0 empty:hidden">{next}</span>
      <span className="ml-auto flex shrink-0 empty:hidden">{use(FindingEnd)}</span>
    </div>
  );
}

function showInFull({ currentTarget }: PointerEvent<HTMLElement>): void {
  const isCut = currentTarget.scrollWidth > currentTarget.clientWidth;
  currentTarget.title = isCut ? currentTarget.textContent : "";
}
