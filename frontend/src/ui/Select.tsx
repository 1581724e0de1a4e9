interface SelectProps<T extends string | number> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
  readonly isDisabled?: boolean;
  /** Said on hover, such as why it is disabled. */
  readonly title?: string | undefined;
  readonly className?: string;
}

/** One of several, with a small label above. */
export function Select<T extends string | number>(props: SelectProps<T>) {
  const { label, value, options, onChange, isDisabled = false, title, className = "" } = props;
  return (
    <label title={title} className={`flex min-w-0 flex-col text-cell text-muted ${className}`}>
      {label}
      <select
        value={value}
        disabled={isDisabled}
        onChange={(event) => {
          const chosen = options.find((option) => String(option.value) === event.target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
        className="h-8 w-full rounded-control border border-line-strong bg-raised px-2 text-body text-ink focus-visible:-outline-offset-1 disabled:text-quiet"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}
