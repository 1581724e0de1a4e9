import type { HeldWith } from "@/features/chat/chatState";
import { startCommand } from "@/model/identity";
import { placeOf, placeWords, sortedNotes } from "@/model/notes";
import type { ModelInfo } from "@/types/schemas";
import { LoadNeeded } from "./LoadNeeded";

interface MissingModelProps {
  readonly held: HeldWith;
  readonly running: ModelInfo;
}

/** A conversation that the running model cannot read: which model is missing, and the text as it was saved. */
export default function MissingModel({ held, running }: MissingModelProps) {
  const { model } = held;
  const isOtherRevision = model.name === running.model_name;
  return (
    <div className="py-4">
      <h2 className="text-title font-semibold">{held.title ?? "This conversation"}</h2>
      <p className="mt-2">
        This conversation was held with <b className="font-medium">{named(model)}</b>; this server runs{" "}
        <b className="font-medium">
          {isOtherRevision
            ? `revision ${shortRevision(running.revision)}`
            : named({ name: running.model_name, revision: running.revision })}
        </b>
        . Its tokens and numbers can be shown by that model only.
      </p>
      <p className="mt-2 text-muted">
        To open it, load that model, or start the server with{" "}
        <code className="rounded-mark bg-sunken px-1 font-mono break-all text-ink">
          {startCommand(model)}
        </code>
        {isOtherRevision && model.source === "hub" && model.revision !== null && (
          <>
            {" "}
            and{" "}
            <code className="rounded-mark bg-sunken px-1 font-mono break-all text-ink">
              EXPLORER_REVISION={model.revision}
            </code>
          </>
        )}
        . A message that you send now begins a new conversation.
      </p>
      <LoadNeeded needed={model} />
      <h3 className="mt-4 text-label text-muted">The text, as it was saved</h3>
      <p className="mt-1 rounded-control border border-line bg-sunken p-3 break-words whitespace-pre-wrap">
        {held.text}
      </p>
      {held.notes.length > 0 && (
        <>
          <h3 className="mt-4 text-label text-muted">The notes</h3>
          <ul className="mt-1 space-y-2">
            {sortedNotes(held.notes).map((note, i) => (
              <li key={i}>
                <span className="block text-label text-muted">{placeWords(placeOf(note), [])}</span>
                <span dir="auto" className="block break-words whitespace-pre-line">
                  {note.text}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

const shortRevision = (revision: string | null): string =>
  revision === null ? "unknown" : revision.slice(0, 12);

const named = ({ name, revision }: Pick<HeldWith["model"], "name" | "revision">): string =>
  revision === null ? name : `${name}, revision ${shortRevision(revision)}`;
