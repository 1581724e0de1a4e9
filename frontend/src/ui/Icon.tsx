/** Line icons on a 16 px grid, drawn for this page. They are decoration: the control carries the name. */
const PATHS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M12.8 3.2l-1.1 1.1M4.3 11.7l-1.1 1.1",
  moon: "M13.4 9.6A5.6 5.6 0 0 1 6.4 2.6a5.6 5.6 0 1 0 7 7Z",
  help: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.3M8 11.4h.01",
  type: "M1.6 12.2L5 3.8l3.4 8.4M2.8 9.4h4.4M9.6 12.2l2.3-5.6 2.3 5.6M10.4 10.4h3",
  check: "M3 8.5l3.2 3.2L13 4.8",
  warning: "M8 2.2l6.3 11.2H1.7zM8 6.6v3.2M8 11.6h.01",
  copy: "M5.5 5.5V2.8h7.7v7.7h-2.7M2.8 5.5h7.7v7.7H2.8z",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.2 2.8L9.4 6.6M2.8 13.2l3.8-3.8",
  collapse: "M13.5 6.5h-4v-4M2.5 9.5h4v4M9.7 6.3l3.6-3.6M6.3 9.7l-3.6 3.6",
  close: "M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4",
  down: "M4 6.2l4 4 4-4",
  up: "M4 9.8l4-4 4 4",
  left: "M9.8 4l-4 4 4 4",
  right: "M6.2 4l4 4-4 4",
  redo: "M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.9 2v3h-3",
  edit: "M10.8 2.8l2.4 2.4-7.6 7.6-3 .6.6-3z",
  pin: "M6 2.5h4l-.6 4.2 2.4 2.3H4.2l2.4-2.3zM8 9v4.5",
  list: "M2.2 2.8h11.6v10.4H2.2zM6.2 2.8v10.4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  upload: "M8 10.5V2.8M4.8 6L8 2.8 11.2 6M2.8 10.5v2.7h10.4v-2.7",
  download: "M8 2.8v7.7M4.8 7.3L8 10.5l3.2-3.2M2.8 10.5v2.7h10.4v-2.7",
  search: "M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8ZM10.3 10.3l3.2 3.2",
  note: "M3.2 2.6h9.6v6.9l-3.6 3.9h-6zM12.8 9.5H9.2v3.9M5.8 5.6h4.4M5.8 8.2h2.6",
  branch:
    "M4.5 5.8v4.4M4.5 5.8a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2ZM4.5 13.4a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2ZM11.5 5.8a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2ZM11.5 5.8c0 2.2-1.8 3-4 3.2-1.6.2-3 .4-3 1.2",
  range: "M2.8 3.2v9.6M13.2 3.2v9.6M5 8h6M6.8 6.2L5 8l1.8 1.8M9.2 6.2L11 8l-1.8 1.8",
  trash: "M3 4.5h10M6.2 4.5V2.8h3.6v1.7M4.2 4.5l.6 8.7h6.4l.6-8.7",
  sliders: "M2.5 5h6M11.5 5h2M10 3.4v3.2M2.5 11h2M7.5 11h6M6 9.4v3.2",
  info: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 7.2v3.6M8 5.1h.01",
  table: "M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.2 3v10",
  play: "M5 3.2v9.6l7.6-4.8z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  stop: "M4.5 4.5h7v7h-7z",
  steer: "M2.5 12.5c4.5 0 3.5-8 8.5-8M8.6 2.2l2.6 2.3-2.6 2.3",
  send: "M8 13V3.2M4 7l4-4 4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={`size-4 shrink-0 fill-none stroke-current ${className}`}
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
