import { Suspense } from "react";
import { useServer } from "@/features/server/server";
import { Button } from "@/ui/Button";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";

const JobList = lazyPart(() => import("./JobList"));

/** Opens the list of jobs; says how many run or wait. */
export function JobsButton({ shownId }: { readonly shownId: string | null }) {
  const { health } = useServer();
  const n = health?.jobs ?? 0;
  return (
    <Popover
      label="Jobs"
      align="start"
      trigger={<Button look="quiet">{n === 0 ? "Jobs" : `Jobs (${n})`}</Button>}
    >
      <Suspense fallback={<p className="text-muted">Reading the list…</p>}>
        <JobList shownId={shownId} />
      </Suspense>
    </Popover>
  );
}
