import { type ReactElement, Suspense, cloneElement, useState } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import type { IconName } from "./Icon";
import { lazyPart } from "./lazyPart";

const OpenMenu = lazyPart(() => import("./OpenMenu"));

export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
  readonly isDanger?: boolean;
  readonly onSelect: () => void;
}

export interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactElement<{ readonly onClick?: () => void }>;
  readonly items: readonly MenuItem[];
}

/** What can be done with a thing, behind its button; the menu's code is fetched at the first click. */
export function Menu({ trigger, items }: MenuProps) {
  const [isWanted, setIsWanted] = useState(false);
  const closed = cloneElement(trigger, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setIsWanted(true),
  } as { readonly onClick: () => void });
  if (!isWanted) return closed;
  return (
    <ErrorBoundary onClose={() => setIsWanted(false)}>
      <Suspense fallback={closed}>
        <OpenMenu trigger={trigger} items={items} />
      </Suspense>
    </ErrorBoundary>
  );
}
