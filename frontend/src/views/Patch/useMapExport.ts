import { useViewExport } from "@/features/export/useViewExport";
import type { JobInfo } from "@/types/schemas";
import type { PatchDirection } from "./choices";
import type { PatchTexts } from "./texts";

interface MapExportParts {
  readonly texts: PatchTexts;
  readonly direction: PatchDirection;
  readonly job: JobInfo | null;
}

/** What can be exported of the map. */
export function useMapExport({ texts, direction, job }: MapExportParts): void {
  const hasCells = job !== null && job.result.n_done > 0;
  useViewExport(
    !hasCells
      ? "Start the map first; its cells are exported."
      : async () => {
          const { mapExport } = await import("./viewExport");
          return mapExport({ texts, direction, job });
        },
    [],
  );
}
