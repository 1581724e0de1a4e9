import { type ReactNode, use } from "react";
import type { PinnedToken } from "@/features/pins/pins";
import { usePins } from "@/features/pins/pinsContext";
import { TokenSearch } from "./TokenSearch";
import { cellTextOfText } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Popover, PopoverClose } from "@/ui/Popover";
import { PopoverContext } from "@/ui/popoverContext";

interface Option<T> {
  readonly value: T;
  readonly label: string;
  readonly hint: string;
}

interface LogitChoiceProps<T> {
  /** `Target`, `Foil`. */
  readonly label: string;
  /** What is chosen, as the button shows it. */
  readonly shown: ReactNode;
  readonly value: T;
  readonly options: readonly Option<T>[];
  readonly onChoose: (value: T | number) => void;
  readonly modelName: string;
  /** The token on the other side, which cannot be chosen here. */
  readonly otherId: number | null;
}

/** Which logit is meant: one of a few, a pinned token, or any token of the vocabulary. */
export function LogitChoice<T extends string | number | null>(props: LogitChoiceProps<T>) {
  const { label, shown, value, options, onChoose, modelName, otherId } = props;
  const { pins } = usePins();
  const pinned = pins
    .flatMap((pin) => pin.tokens)
    .filter(({ id }) => id !== otherId)
    .map(({ id, text }) => ({
      value: id,
      label: text === null ? `id ${id}` : cellTextOfText(text),
      hint: "pinned",
    }));
  return (
    <Popover
      label={label}
      trigger={
        <Button look="quiet" aria-label={label} className="min-w-0 gap-1 border border-line bg-raised px-2">
          <span className="max-w-36 min-w-0 truncate text-ink">{shown}</span>
          <Icon name="down" className="text-quiet" />
        </Button>
      }
    >
      <div className="flex flex-col gap-2">
        <SearchOnce
          modelName={modelName}
          label="Any token of the vocabulary"
          verb="chooses"
          isTaken={(id) => id === value || id === otherId}
          takenAs="chosen"
          isFull={false}
          onChoose={({ id }) => onChoose(id)}
        />
        <div role="group" aria-label={`${label}: offered`} className="flex flex-col">
          {[...options, ...pinned].map((option) => (
            <PopoverClose key={String(option.value)}>
              <Button
                look="quiet"
                aria-pressed={option.value === value}
                className="w-full justify-start gap-2 aria-pressed:bg-hover"
                onClick={() => onChoose(option.value)}
              >
                <span className="min-w-0 truncate text-ink">{option.label}</span>
                <span className="ml-auto min-w-0 truncate text-label font-normal text-muted">
                  {option.hint}
                </span>
              </Button>
            </PopoverClose>
          ))}
        </div>
      </div>
    </Popover>
  );
}

/** The search of the vocabulary, which is over once a token is chosen. */
function SearchOnce(props: Parameters<typeof TokenSearch>[0]) {
  const close = use(PopoverContext);
  return (
    <TokenSearch
      {...props}
      onChoose={(token: PinnedToken) => {
        if (props.isTaken(token.id)) return;
        props.onChoose(token);
        close();
      }}
    />
  );
}
