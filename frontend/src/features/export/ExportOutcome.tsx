import clsx from "clsx";
import { Suspense, useEffect } from "react";
import { IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { closeFigure, dismissOutcome, useExportOutcome, useFigureRequest } from "./exporting";

const FigureDialog = lazyPart(() => import("./FigureDialog"));

/** A success needs no answer; a failure stays until it was read. */
const SHOWN_MS = 8_000;

/** The outcome of the last export, above everything else at the foot of the page, and the dialog of figures. */
export default function ExportOutcome() {
  const figure = useFigureRequest();
  return (
    <>
      <Outcome />
      {figure !== null && (
        <ErrorBoundary onClose={closeFigure}>
          <Suspense>
            <FigureDialog request={figure} onClose={closeFigure} />
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}

function Outcome() {
  const outcome = useExportOutcome();
  useEffect(() => {
    if (outcome?.kind !== "done") return undefined;
    const timer = setTimeout(dismissOutcome, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-3 z-toast flex justify-center px-3 md:justify-end"
    >
      {outcome !== null && (
        <div
          className={clsx(
            "pointer-events-auto flex min-h-10 max-w-full items-center gap-2 rounded-control border bg-raised py-1 pr-1 pl-3 shadow-float",
            outcome.kind === "failed" ? "border-danger text-danger" : "border-line",
          )}
        >
          <span className="min-w-0 break-words">{outcome.text}</span>
          {outcome.kind !== "working" && <IconButton icon="close" label="Dismiss" onClick={dismissOutcome} />}
        </div>
      )}
    </div>
  );
}
