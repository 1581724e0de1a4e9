/** The branches that can stand beside the one on the page. */
import type { Branch } from "@/features/library/conversations";

export interface OtherBranch {
  readonly id: string;
  readonly label: string;
}

/** All but the one on the page, the last written first. */
export function otherBranches(branches: readonly Branch[], currentId: string | null): OtherBranch[] {
  return branches
    .map((branch, i) => ({ branch, number: i + 1 }))
    .filter(({ branch }) => branch.id !== currentId)
    .toSorted((a, b) => b.branch.updated_at_ms - a.branch.updated_at_ms)
    .map(({ branch, number }) => ({
      id: branch.id,
      label: `${number} · ${branch.name ?? (branch.preview.trim() || "(no text)")}${branch.from_index === null ? "" : ` · from ${branch.from_index}`}`,
    }));
}

/** The branch that was chosen, while there is one; else the last written. */
export const chosenBranch = (id: string | null, branches: readonly OtherBranch[]): OtherBranch | null =>
  branches.find((branch) => branch.id === id) ?? branches[0] ?? null;
