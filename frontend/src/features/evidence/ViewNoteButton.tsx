import { Suspense } from "react";
import { Button, IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import type { ViewDefinition } from "./view";

const ViewNote = lazyPart(() => import("./ViewNote"));

interface ViewNoteButtonProps {
  readonly view: ViewDefinition;
  /** Has its name beside the icon. */
  readonly hasWords?: boolean;
}

/** Opens the limitations of the view and of the lens, with a source for each. */
export function ViewNoteButton({ view, hasWords = false }: ViewNoteButtonProps) {
  return (
    <Popover
      label={`${view.title}: limitations`}
      align="end"
      trigger={
        hasWords ? (
          <Button look="quiet" icon="info">
            Limitations
          </Button>
        ) : (
          <IconButton icon="info" label="Limitations" />
        )
      }
    >
      <ErrorBoundary>
        <Suspense fallback={<p className="text-muted">Opening…</p>}>
          <ViewNote view={view} />
        </Suspense>
      </ErrorBoundary>
    </Popover>
  );
}
