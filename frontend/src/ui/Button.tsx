import clsx from "clsx";
import type { ComponentProps } from "react";
import { Icon, type IconName } from "./Icon";

type Look = "primary" | "plain" | "quiet";

const LOOKS: Record<Look, string> = {
  primary:
    "bg-accent text-accent-ink hover:bg-[color-mix(in_oklch,var(--accent),var(--text)_12%)] disabled:bg-hover disabled:text-quiet aria-disabled:bg-hover aria-disabled:text-quiet",
  plain:
    "border border-line-strong bg-raised text-ink hover:bg-hover disabled:text-quiet aria-disabled:text-quiet",
  quiet: "text-muted hover:bg-hover hover:text-ink disabled:text-quiet",
};

const SIZES = {
  control: "h-control",
  /** Within a line of text. */
  small: "h-control-small",
} as const;

interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: Look;
  readonly size?: keyof typeof SIZES;
  readonly icon?: IconName;
  /** On a narrow screen the word is below the icon. */
  readonly isStacked?: boolean;
}

/** A button with words. */
export function Button({
  look = "plain",
  size = "control",
  icon,
  isStacked = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={clsx(
        "inline-flex items-center justify-center gap-1.5 rounded-control font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed aria-disabled:cursor-not-allowed",
        SIZES[size],
        look === "quiet" || size === "small" ? "px-2" : "px-2.5",
        LOOKS[look],
        isStacked &&
          "max-md:h-11 max-md:min-w-11 max-md:flex-col max-md:gap-0.5 max-md:px-1 max-md:text-label",
        className,
      )}
      {...rest}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "aria-label" | "title"> {
  readonly icon: IconName;
  /** Its name, also shown as a tooltip. */
  readonly label: string;
}

/** A button with an icon only. */
export function IconButton({ icon, label, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={clsx(
        "inline-grid size-control shrink-0 place-items-center rounded-control text-muted transition-colors hover:bg-hover hover:text-ink disabled:cursor-not-allowed disabled:text-quiet",
        className,
      )}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}
