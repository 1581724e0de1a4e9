import { Button } from "@/ui/Button";
import type { Example } from "./examples";

interface AboutBranchProps {
  readonly example: Example;
  readonly onGo: () => void;
}

/** Stands for an example's explanation on the branches that it does not describe. */
export function AboutBranch({ example, onGo }: AboutBranchProps) {
  return (
    <p className="mt-4 flex flex-wrap items-center gap-2 text-muted">
      “{example.title}: what to see” is about branch 1.
      <Button onClick={onGo}>Go to branch 1</Button>
    </p>
  );
}
