import clsx from "clsx";
import { type ReactNode, use, useEffect, useRef, useState } from "react";
import { IconButton } from "@/ui/Button";
import { FindingEnd } from "./findingEnd";

interface FindingProps {
  /** The sentence. */
  readonly children: ReactNode;
  /** The step that follows from it; never cut. */
  readonly next?: ReactNode;
}

/** The finding of a view, first in it and on one line; where it does not fit, a button shows it in full. */
export function Finding({ children, next }: FindingProps) {
  const sentence = useRef<HTMLParagraphElement>(null);
  const [isCut, setIsCut] = useState(false);
  const [isOpen, setIsOpen] = useState(false);
  // After each change of the sentence as well: one that is cut has the same size as the one before.
  useEffect(() => {
    const element = sentence.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setIsCut(element.scrollWidth > element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  });
  return (
    <div className="flex min-h-8 shrink-0 items-center gap-x-3 border-b border-line bg-raised px-3 py-1 max-md:py-0.5">
      <p
        ref={sentence}
        data-part="finding"
        className={clsx("min-w-0 text-muted", isOpen ? "break-words" : "truncate")}
      >
        {children}
      </p>
      {(isCut || isOpen) && (
        <IconButton
          icon={isOpen ? "up" : "down"}
          label={isOpen ? "Show one line of it" : "Show the whole sentence"}
          className="-ml-2"
          onClick={() => setIsOpen(!isOpen)}
        />
      )}
      <span className="shrink-0 empty:hidden">{next}</span>
      <span className="ml-auto flex shrink-0 empty:hidden">{use(FindingEnd)}</span>
    </div>
  );
}
