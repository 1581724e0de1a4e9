import { useEffect, useRef } from "react";
import { isOfInputMethod } from "@/base/composing";

interface NameFieldProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  /** Null when the name stays as it was. */
  readonly onDone: (name: string | null) => void;
}

/** A name being written in place: Enter or leaving it keeps it, Escape does not. */
export function NameField({ label, value, placeholder, onDone }: NameFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => {
    // A menu that closes puts the focus back on its button, after this. Who was faster than a frame
    // writes already, and would lose the first letters to a selection.
    const frame = requestAnimationFrame(() => {
      if (document.activeElement === field.current) return;
      field.current?.focus();
      field.current?.select();
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  const done = (name: string | null): void => {
    if (isDone.current) return; // leaving the field follows on Enter and Escape
    isDone.current = true;
    onDone(name);
  };
  return (
    <input
      ref={field}
      type="text"
      dir="auto"
      aria-label={label}
      defaultValue={value}
      placeholder={placeholder}
      maxLength={200}
      onKeyDown={(event) => {
        if ((event.key !== "Enter" && event.key !== "Escape") || isOfInputMethod(event.nativeEvent)) return;
        event.preventDefault();
        event.stopPropagation();
        done(event.key === "Enter" ? event.currentTarget.value : null);
      }}
      onBlur={(event) => done(event.currentTarget.value)}
      className="h-control w-full min-w-0 rounded-control border border-accent bg-surface px-2"
    />
  );
}
