import { use } from "react";
import { useLensKind } from "@/features/settings/lensKind";
import type { Citation } from "@/model/citation";
import { LENSES } from "@/model/lenses";
import type { ViewDefinition } from "./view";

/** The limitations of a view and of the lens in use, with their sources. */
export default function ViewNote({ view }: { readonly view: ViewDefinition }) {
  const kind = useLensKind();
  const lens = LENSES.find((each) => each.kind === kind);
  const { shows, isNot, source } = use(view.note());
  return (
    <div className="space-y-2">
      <p>{shows}</p>
      <h3 className="font-medium">How not to read it</h3>
      <p>{isNot}</p>
      <Source {...source} />
      {lens !== undefined && kind !== "logit" && (
        <div className="space-y-1 border-t border-line pt-2">
          <h3 className="font-medium">The {lens.title} lens</h3>
          <p>
            {lens.hint} It was fitted: it may show what the fit found useful rather than what the block wrote.
          </p>
          {lens.source.href !== source.href && <Source {...lens.source} />}
        </div>
      )}
    </div>
  );
}

function Source({ text, href }: Citation) {
  return (
    <p className="text-label text-muted">
      <a href={href} target="_blank" rel="noreferrer" className="text-accent underline">
        {text}
      </a>
    </p>
  );
}
