import { type MouseEvent, type RefObject, useEffect, useMemo, useState } from "react";
import { useChat } from "@/features/chat/chat";
import { useSelection } from "@/features/selection/selection";
import { tokenElementId } from "@/features/selection/tokenSelection";
import { type SurprisingToken, nearestIn, strongestIn, surprisingTokens } from "./surprisalMap";
import { tintOf, tintScale } from "./tint";

const BIN_PX = 3;

/**
 * A strip beside a long reply, coloured by the strongest surprisal of each stretch; a press selects that
 * token. Its numbers, and the way to the strongest by keyboard, are in the details below the reply.
 */
export default function SurprisalMap({ area }: { readonly area: RefObject<HTMLElement | null> }) {
  const timeline = useChat((chat) => chat.timeline);
  const { select } = useSelection();
  const tokens = useMemo(() => surprisingTokens(timeline), [timeline]);
  const [bins, setBins] = useState<readonly (SurprisingToken | null)[]>([]);
  useEffect(() => {
    const element = area.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined || tokens.length === 0) return;
    const measure = (): void => {
      const top = element.getBoundingClientRect().top - element.scrollTop;
      const nBins = Math.max(1, Math.floor(element.clientHeight / BIN_PX));
      setBins(
        strongestIn(tokens, nBins, (index) => {
          const box = document.getElementById(tokenElementId(index))?.getBoundingClientRect();
          return box === undefined ? null : (box.top - top) / element.scrollHeight;
        }),
      );
    };
    const observer = new ResizeObserver(measure);
    observer.observe(content);
    observer.observe(element);
    return () => observer.disconnect();
  }, [area, tokens]);
  if (tokens.length === 0) return null;
  const { max } = tintScale("surprisal", 0);
  const stops = bins.map((token, bin) => {
    const colour = token === null ? "transparent" : tintOf(token.nats, max).background;
    return `${colour} ${bin * BIN_PX}px ${(bin + 1) * BIN_PX}px`;
  });
  const onClick = (event: MouseEvent<HTMLElement>): void => {
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top;
    const found = nearestIn(bins, Math.floor(y / BIN_PX));
    if (found !== null) select(found.index);
  };
  return (
    <div
      aria-hidden="true"
      data-part="surprisal-map"
      title="Surprisal along the reply"
      onClick={onClick}
      className="absolute inset-y-0 left-0 w-1.5 cursor-pointer bg-sunken hover:w-2.5"
      style={{
        backgroundImage: stops.length < 2 ? undefined : `linear-gradient(to bottom, ${stops.join(", ")})`,
      }}
    />
  );
}
