import { Suspense, useState } from "react";
import { Button } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import type { ExportSource } from "./viewExport";

const ExportMenu = lazyPart(() => import("./ExportMenu"));

interface ExportButtonProps {
  readonly view: ExportSource["view"] | undefined;
}

/** Opens the menu of exports, whose code is fetched at the first click. */
export function ExportButton(props: ExportButtonProps) {
  const [isWanted, setIsWanted] = useState(false);
  const closed = (
    <Button
      look="quiet"
      icon="download"
      aria-haspopup="menu"
      aria-expanded={false}
      className="px-2"
      onClick={() => setIsWanted(true)}
    >
      <span className="@max-3xl:sr-only">Export</span>
    </Button>
  );
  return (
    <span data-tour="export">
      {isWanted ? (
        <ErrorBoundary onClose={() => setIsWanted(false)}>
          <Suspense fallback={closed}>
            <ExportMenu {...props} />
          </Suspense>
        </ErrorBoundary>
      ) : (
        closed
      )}
    </span>
  );
}
