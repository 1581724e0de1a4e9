import { useState } from "react";
import { dayLabel } from "@/base/days";
import type { ConversationSummary } from "@/features/library/conversations";
import { isReadableWith } from "@/features/library/library";
import { useLibrary } from "@/features/library/useLibrary";
import { twinMarks } from "@/features/library/twins";
import { useServer } from "@/features/server/server";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Popover, PopoverClose } from "@/ui/Popover";

interface SavedSearchProps {
  readonly chosenId: string | null;
  /** The conversation on the page, which is not among the others. */
  readonly ownId: string | null;
  readonly onChoose: (id: string) => void;
}

/** The saved conversations that the running model can read, found by title, text and notes. */
export function SavedSearch({ chosenId, ownId, onChoose }: SavedSearchProps) {
  const [chosen, setChosen] = useState<ConversationSummary | null>(null);
  // One that an address names is most often among the newest.
  const newest = useLibrary("").conversations;
  const isListed = newest.some(({ id }) => id === chosen?.id);
  const seen = chosen === null || isListed ? newest : [chosen, ...newest];
  const known = seen.find(({ id }) => id === chosenId);
  const name = chosenId === null ? "Choose…" : (known?.title ?? "chosen");
  // The conversation on the page may look like it, too.
  const twinMark = known === undefined ? undefined : twinMarks(seen).get(known.id);
  return (
    <div className="min-w-44 flex-1">
      <span className="block text-cell text-muted">conversation</span>
      <Popover
        label="Saved conversations"
        trigger={
          <Button className="max-w-full !justify-start" icon="list">
            <span className="max-w-64 min-w-0 truncate">{name}</span>
            {known !== undefined && twinMark !== undefined && (
              <>
                {" "}
                <span className="shrink-0 text-label font-normal text-muted">{whenOf(known, twinMark)}</span>
              </>
            )}
            <Icon name="down" className="size-3.5" />
          </Button>
        }
      >
        <List
          chosenId={chosenId}
          ownId={ownId}
          onChoose={(conversation) => {
            setChosen(conversation);
            onChoose(conversation.id);
          }}
        />
      </Popover>
    </div>
  );
}

/** The day, and what tells it from one whose title looks the same. */
const whenOf = ({ updated_at_ms }: ConversationSummary, twinMark: string | undefined): string =>
  [dayLabel(new Date(updated_at_ms), new Date()), ...(twinMark === undefined ? [] : [twinMark])].join(" ");

interface ListProps extends Omit<SavedSearchProps, "onChoose"> {
  readonly onChoose: (conversation: ConversationSummary) => void;
}

function List({ chosenId, ownId, onChoose }: ListProps) {
  const [query, setQuery] = useState("");
  const library = useLibrary(query);
  const { model } = useServer();
  const readable = library.conversations.filter(
    (each) => each.conversation_id !== ownId && (model === null || isReadableWith(model, each.model)),
  );
  const twins = twinMarks(library.conversations);
  return (
    <div className="flex flex-col gap-2">
      <input
        type="search"
        dir="auto"
        aria-label="Search the conversations"
        placeholder="Search"
        value={query}
        maxLength={200}
        onChange={(event) => setQuery(event.target.value)}
        className="h-8 w-full rounded-control border border-line-strong bg-surface px-2"
      />
      <ul className="max-h-64 overflow-y-auto">
        {readable.map((each) => (
          <li key={each.id}>
            <PopoverClose>
              <button
                type="button"
                aria-pressed={each.id === chosenId}
                onClick={() => onChoose(each)}
                className="flex min-h-8 w-full items-baseline gap-2 rounded-control px-2 py-1 text-left hover:bg-hover aria-pressed:bg-accent-soft"
              >
                <span className="min-w-0 flex-1 truncate">{each.title}</span>{" "}
                <span className="shrink-0 text-label text-muted">{whenOf(each, twins.get(each.id))}</span>
              </button>
            </PopoverClose>
          </li>
        ))}
      </ul>
      {library.more !== null && <Button onClick={library.more}>Show more</Button>}
      {library.status === "loading" && <p className="text-muted">Looking…</p>}
      {library.error !== null && (
        <p role="alert" className="text-danger">
          {library.error.message}{" "}
          <Button size="small" onClick={library.retry}>
            Retry
          </Button>
        </p>
      )}
      {library.status === "done" && readable.length === 0 && (
        <p className="text-muted">
          {query.trim() === ""
            ? "There is no other conversation that this model can read. Begin a new one first."
            : "Nothing found."}
        </p>
      )}
    </div>
  );
}
