import clsx from "clsx";
import { PINS_ARE_FULL, type PinnedToken, isPinned } from "@/features/pins/pins";
import { usePins } from "@/features/pins/pinsContext";
import { cellPartsOfText } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Refusable } from "@/ui/Refusable";
import { TokenText } from "@/ui/TokenText";
import { tokenName } from "./series";

interface SuggestionsProps {
  readonly tokens: readonly PinnedToken[];
  /** The first of them is the actual token, whatever the output chose. */
  readonly beginsWithActual: boolean;
  readonly actualId: number | null;
  /** They are what the chart shows, because nothing is pinned. */
  readonly isDefault: boolean;
  readonly onPreview: (token: PinnedToken | null) => void;
}

/** What may be worth following at the selected position. */
export function Suggestions({ tokens, beginsWithActual, actualId, isDefault, onPreview }: SuggestionsProps) {
  const { pins, pin, unpin, isFull } = usePins();
  if (tokens.length === 0) return null;
  const what = beginsWithActual
    ? "the actual token and the output’s top predictions"
    : "the output’s top predictions";
  if (isDefault) {
    return (
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1">
        <p className="min-w-0 flex-1 basis-60 text-muted">
          Nothing is pinned, so this shows {what} here. Pin a token to follow it at other positions too.
        </p>
        <Button icon="pin" onClick={() => pin(tokens)}>
          Pin all {tokens.length}
        </Button>
      </div>
    );
  }
  return (
    <div role="group" aria-label="Suggestions" className="flex flex-wrap items-center gap-1 px-3 py-1">
      <span className="text-label text-muted">here: {what}</span>
      {tokens.map((token) => {
        const isThere = isPinned(pins, token.id);
        const look = (): void => onPreview(isThere ? null : token);
        const leave = (): void => onPreview(null);
        return (
          <Refusable key={token.id} because={isFull && !isThere ? PINS_ARE_FULL : null}>
            <button
              type="button"
              aria-pressed={isThere}
              aria-label={`Pin ${tokenName(token)}${token.id === actualId ? ", the actual token" : ""}`}
              onPointerEnter={look}
              onPointerLeave={leave}
              onFocus={look}
              onBlur={leave}
              onClick={() => {
                leave();
                if (isThere) unpin(token.id);
                else pin([token]);
              }}
              className={clsx(
                "inline-flex min-h-6 max-w-32 items-center gap-1 rounded-mark border px-1.5 text-label",
                isThere ? "border-accent bg-accent-soft" : "border-line-strong hover:bg-hover",
              )}
            >
              <Icon name={isThere ? "check" : "pin"} className="size-3 text-muted" />
              <TokenText
                parts={cellPartsOfText(token.text ?? "")}
                className={clsx("truncate", token.id === actualId && "font-medium")}
              />
            </button>
          </Refusable>
        );
      })}
    </div>
  );
}
