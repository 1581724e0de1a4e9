import clsx from "clsx";
import type { ReactNode } from "react";
import { Button } from "./Button";
import type { IconName } from "./Icon";

interface ToggleButtonProps {
  readonly label: ReactNode;
  /** Where the label is a sign. */
  readonly name?: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly icon?: IconName;
  readonly title?: string;
  readonly className?: string;
}

/** A quiet button that stays pressed. */
export function ToggleButton({ label, name, isOn, onChange, icon, title, className }: ToggleButtonProps) {
  return (
    <Button
      look="quiet"
      {...(icon === undefined ? {} : { icon })}
      title={title}
      aria-label={name}
      aria-pressed={isOn}
      onClick={() => onChange(!isOn)}
      className={clsx("px-2 aria-pressed:bg-sunken aria-pressed:text-ink", className)}
    >
      {label}
    </Button>
  );
}
