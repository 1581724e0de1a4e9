import { Suspense } from "react";
import { Button } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import type { AlternativesListProps } from "./AlternativesList";

const AlternativesList = lazyPart(() => import("./AlternativesList"));

/** Opens what the model might have written in place of the token. */
export function Alternatives(props: AlternativesListProps) {
  return (
    <Popover
      label="Alternatives"
      align="end"
      trigger={
        <Button look="quiet" icon="branch" isStacked>
          <span className="md:@max-2xl:sr-only">Branch</span>
        </Button>
      }
    >
      <ErrorBoundary>
        <Suspense fallback={<p className="text-muted">Opening…</p>}>
          <AlternativesList {...props} />
        </Suspense>
      </ErrorBoundary>
    </Popover>
  );
}
