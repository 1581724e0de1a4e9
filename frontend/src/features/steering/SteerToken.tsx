import { Suspense } from "react";
import { lazyPart } from "@/ui/lazyPart";
import type { SteerMenuProps } from "./SteerMenu";

const SteerMenu = lazyPart(() => import("./SteerMenu"));

/** The menu of a token's direction; its code follows the first paint. */
export const SteerToken = (props: SteerMenuProps) => (
  <Suspense fallback={<span className="inline-block size-6" />}>
    <SteerMenu {...props} />
  </Suspense>
);
