import { Button } from "@/ui/Button";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import { Suspense } from "react";

const FitPanel = lazyPart(() => import("./FitPanel"));

/** Opens what fits a lens to the running model. */
export default function FitLens() {
  return (
    <Popover
      label="Fit a lens"
      align="end"
      trigger={
        <Button look="quiet" className="px-1.5" aria-label="Fit…" title="Fit a lens to this model">
          <span className="tight:hidden">Fit…</span>
          <span className="hidden tight:inline">+</span>
        </Button>
      }
    >
      <Suspense fallback={<p className="text-muted">Reading the list of jobs…</p>}>
        <FitPanel />
      </Suspense>
    </Popover>
  );
}
