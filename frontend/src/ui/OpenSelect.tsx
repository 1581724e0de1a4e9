import { Popover as Radix } from "radix-ui";
import { type KeyboardEvent, type RefObject, useId, useRef } from "react";
import { isBrowserCommand } from "@/base/keys";
import { Icon } from "./Icon";
import type { SelectOption } from "./Select";

interface OpenSelectProps {
  readonly button: RefObject<HTMLButtonElement | null>;
  readonly listId: string;
  readonly label: string;
  readonly value: string;
  readonly options: readonly SelectOption<string | number>[];
  readonly onChoose: (index: number) => void;
  readonly onClose: () => void;
}

/** The list of a `Select` while it is open. The focus moves from option to option, and returns to the button. */
export default function OpenSelect(props: OpenSelectProps) {
  const { button, listId, label, value, options, onChoose, onClose } = props;
  const list = useRef<HTMLDivElement>(null);
  const hintId = useId();

  const items = (): HTMLElement[] => Array.from(list.current?.querySelectorAll("[role=option]") ?? []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const all = items();
    const at = all.findIndex((item) => item === document.activeElement);
    const next = nextIndex(event.key, at, options);
    if (event.key === "Enter" || event.key === " ") {
      if (at >= 0) onChoose(at);
      onClose();
    } else if (event.key === "Tab") onClose();
    else if (next === null) return;
    else all[next]?.focus();
    event.preventDefault();
  };

  return (
    <Radix.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Radix.Anchor virtualRef={button} />
      <Radix.Portal>
        <Radix.Content
          ref={list}
          id={listId}
          role="listbox"
          aria-label={label}
          align="start"
          sideOffset={4}
          collisionPadding={8}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            const all = items();
            (all.find((item) => item.getAttribute("aria-selected") === "true") ?? all[0])?.focus();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            button.current?.focus();
          }}
          onInteractOutside={(event) => {
            // The button closes the list by itself.
            if (event.target instanceof Node && button.current?.contains(event.target))
              event.preventDefault();
          }}
          onKeyDown={onKeyDown}
          className="z-popover max-h-(--radix-popover-content-available-height) max-w-80 min-w-(--radix-popover-trigger-width) overflow-y-auto rounded-control border border-line bg-raised p-1 shadow-float"
        >
          {options.map((option, i) => (
            // The list handles the keys of its options.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={option.value}
              role="option"
              tabIndex={-1}
              aria-selected={String(option.value) === value}
              aria-label={option.label}
              aria-describedby={option.hint === undefined ? undefined : `${hintId}-${i}`}
              data-value={option.value}
              onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
              onClick={() => {
                onChoose(i);
                onClose();
              }}
              className="flex scroll-my-1 items-start gap-2 rounded-mark py-1 pr-3 pl-1.5 outline-none focus:bg-hover forced-colors:focus:outline-2"
            >
              <Icon
                name="check"
                className={String(option.value) === value ? "mt-0.5 text-accent" : "invisible mt-0.5"}
              />
              <span className="min-w-0">
                <span className="block">{option.label}</span>
                {option.hint !== undefined && (
                  <span id={`${hintId}-${i}`} className="block text-label text-pretty text-muted">
                    {option.hint}
                  </span>
                )}
              </span>
            </div>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Where a key moves the focus to: by arrows, to an end, or to the next label that begins with a letter. */
function nextIndex(key: string, at: number, options: OpenSelectProps["options"]): number | null {
  const last = options.length - 1;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return last;
  }
  if (key.length !== 1) return null;
  const order = options.map((_, i) => (at + 1 + i) % options.length);
  const begins = ({ label }: SelectOption<string | number>): boolean =>
    label.toLowerCase().startsWith(key.toLowerCase());
  return order.find((i) => options.slice(i, i + 1).some(begins)) ?? null;
}
