import type { ChatMark } from "@/features/chat/chats";
import type { ChatKey } from "@/features/chat/chatState";
import { ProgressMark } from "./ProgressMark";

interface UnsentListProps {
  readonly marks: readonly ChatMark[];
  readonly onShow: (key: ChatKey) => void;
}

/** Messages that the server does not have yet, or has refused, while another conversation is shown. */
export function UnsentList({ marks, onShow }: UnsentListProps) {
  if (marks.length === 0) return null;
  return (
    <ul aria-label="Not saved yet">
      {marks.map(({ key, text, kind }) => (
        <li key={key} className="rounded-control hover:bg-hover">
          <button
            type="button"
            onClick={() => onShow(key)}
            className="w-full min-w-0 rounded-control px-2 py-1.5 text-left"
          >
            <span className="block truncate">{text.trim() === "" ? "New conversation" : text}</span>
            <span className="flex text-cell text-muted">
              <ProgressMark progress={kind} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
