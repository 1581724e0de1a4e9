import { type ReactNode, Suspense, type UIEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { LONG_REPLY_TOKENS } from "@/features/transcript/surprisalMap";
import { patientPart } from "@/ui/lazyPart";
import { useChat } from "./chat";

const SurprisalMap = patientPart(() => import("@/features/transcript/SurprisalMap"));

interface FollowingScrollProps {
  /** Changes with what is shown: another conversation is not scrolled as the one before. */
  readonly of: string | number;
  /** A place in the text is to be seen first, not its end. */
  readonly hasPlace: boolean;
  readonly children: ReactNode;
}

const NEAR_END_PX = 40;

/** Keeps the end of the text in view while it grows, unless the reader has scrolled away from it. */
export function FollowingScroll({ of, hasPlace, children }: FollowingScrollProps) {
  const length = useChat(({ timeline }) => timeline.tokens.length);
  const isSettled = useChat(({ timeline }) => timeline.status === "settled");
  const isLong = length >= LONG_REPLY_TOKENS && isSettled;
  const area = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [start, setStart] = useState({ of, isAtEnd: !hasPlace });
  if (start.of !== of) setStart({ of, isAtEnd: !hasPlace });
  useLayoutEffect(() => {
    isAtEnd.current = start.isAtEnd;
  }, [start]);
  // The buttons below a reply come when it has ended.
  useLayoutEffect(() => {
    const element = area.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [start, length, isSettled]);
  // A legend above the text or a taller composer leaves it less room.
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const onScroll = ({ currentTarget: element }: UIEvent<HTMLDivElement>): void => {
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };
  // A scroll bar that comes later would take its width from the text, and break its lines anew.
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={area}
        onScroll={onScroll}
        className="flex min-h-0 flex-1 flex-col overflow-y-auto px-3 [scrollbar-gutter:stable] md:px-4"
      >
        {children}
      </div>
      {isLong && (
        <Suspense fallback={null}>
          <SurprisalMap area={area} />
        </Suspense>
      )}
    </div>
  );
}
