import { type ReactElement, type ReactNode, Suspense, cloneElement, use, useState } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import { lazyPart } from "./lazyPart";
import { PopoverContext } from "./popoverContext";

const OpenPopover = lazyPart(() => import("./OpenPopover"));

interface Pressable {
  readonly onClick?: () => void;
}

export interface PopoverProps {
  /** The button that opens it. */
  readonly trigger: ReactElement<Pressable>;
  readonly label: string;
  readonly align?: "start" | "center" | "end";
  readonly children: ReactNode;
}

/** A small window beside its button; Escape or a click elsewhere closes it. Its code is fetched at the first click. */
export function Popover(props: PopoverProps) {
  const [isWanted, setIsWanted] = useState(false);
  const closed = cloneElement(props.trigger, {
    "aria-haspopup": "dialog",
    "aria-expanded": false,
    onClick: () => setIsWanted(true),
  } as Pressable);
  if (!isWanted) return closed;
  return (
    <ErrorBoundary onClose={() => setIsWanted(false)}>
      <Suspense fallback={closed}>
        <OpenPopover {...props} />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Makes the button inside it close the window as well. */
export function PopoverClose({ children }: { readonly children: ReactElement<Pressable> }) {
  const close = use(PopoverContext);
  const { onClick } = children.props;
  return cloneElement(children, {
    onClick: () => {
      onClick?.();
      close();
    },
  });
}
