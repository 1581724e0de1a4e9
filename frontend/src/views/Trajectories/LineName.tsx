import { Fragment } from "react";
import type { PinnedToken } from "@/features/pins/pins";
import { cellPartsOfText } from "@/model/tokens";
import { TokenText } from "@/ui/TokenText";

/** The tokens of a line; a sum says that it is one. */
export function LineName({ tokens }: { readonly tokens: readonly PinnedToken[] }) {
  return (
    <span>
      {tokens.length > 1 && <span className="text-muted">sum of </span>}
      {tokens.map(({ id, text }, i) => (
        <Fragment key={id}>
          {i > 0 && <span className="text-muted"> + </span>}
          {text === null ? `id ${id}` : <TokenText parts={cellPartsOfText(text)} className="text-ink" />}
        </Fragment>
      ))}
    </span>
  );
}
