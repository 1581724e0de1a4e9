import { lineColour, lineDash, lineMark } from "./lineLook";

interface LineKeyProps {
  readonly slot: number;
  readonly positionSlot: number;
}

/** A short piece of a line, as it is drawn in the chart. */
export function LineKey({ slot, positionSlot }: LineKeyProps) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 10" className="h-2.5 w-8 shrink-0">
      <g stroke={lineColour(slot)} fill={lineColour(slot)}>
        <path d="M0 5H32" fill="none" strokeWidth="1.5" strokeDasharray={lineDash(positionSlot)} />
        <path d={lineMark(slot)} transform="translate(16 5)" strokeWidth="1.2" />
      </g>
    </svg>
  );
}
