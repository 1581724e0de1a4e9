import clsx from "clsx";
import { RadioGroup } from "radix-ui";

interface SegmentedProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: T) => void;
  readonly className?: string;
}

/** One of a few, side by side. Arrow keys move, as in any radio group. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
  className,
}: SegmentedProps<T>) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={(chosen) => {
        const option = options.find((candidate) => candidate.value === chosen);
        if (option !== undefined) onChange(option.value);
      }}
      className={clsx(
        "inline-flex h-control shrink-0 items-center rounded-control bg-sunken p-0.5",
        className,
      )}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          title={option.hint}
          className="h-full rounded-[4px] px-2 font-medium text-muted transition-colors hover:text-ink data-[state=checked]:bg-lifted data-[state=checked]:text-ink data-[state=checked]:shadow-[0_0_0_1px_var(--line)]"
        >
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
