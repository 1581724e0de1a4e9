import { type ReactNode, type UIEvent, useLayoutEffect, useRef } from "react";

interface FollowingScrollProps {
  /** Grows with the text. */
  readonly length: number;
  readonly children: ReactNode;
}

const NEAR_END_PX = 40;

/** Keeps the end of the text in view while it grows, unless the reader has scrolled away from it. */
export function FollowingScroll({ length, children }: FollowingScrollProps) {
  const area = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const element = area.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [length]);
  const onScroll = ({ currentTarget: element }: UIEvent<HTMLDivElement>): void => {
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };
  return (
    <div ref={area} onScroll={onScroll} className="flex min-h-0 flex-1 flex-col overflow-y-auto px-3 md:px-4">
      {children}
    </div>
  );
}
