import { useLensKind } from "@/features/settings/lensKind";
import type { Citation } from "@/model/citation";
import { LENSES } from "@/model/lenses";
import { IconButton } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import type { ViewDefinition } from "./view";

/** What the open view shows, what may not be read from it, and through which lens. */
export function ViewNoteButton({ view }: { readonly view: ViewDefinition }) {
  const kind = useLensKind();
  const lens = LENSES.find((each) => each.kind === kind);
  const { shows, isNot, source } = view.note;
  return (
    <Popover
      label={`${view.title}: what this is not`}
      trigger={<IconButton icon="info" label="What this is not" className="max-md:size-7" />}
    >
      <div className="space-y-2">
        <p>{shows}</p>
        <h3 className="font-medium">What this is not</h3>
        <p>{isNot}</p>
        <Source {...source} />
        {lens !== undefined && kind !== "logit" && (
          <div className="space-y-1 border-t border-line pt-2">
            <h3 className="font-medium">The {lens.title} lens</h3>
            <p>
              {lens.hint} It was fitted: what it shows may be what the fit found useful, and not what the
              block wrote.
            </p>
            {lens.source.href !== source.href && <Source {...lens.source} />}
          </div>
        )}
      </div>
    </Popover>
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
