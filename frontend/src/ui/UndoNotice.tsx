import { Button, IconButton } from "./Button";

interface UndoNoticeProps {
  readonly text: string;
  readonly onUndo: () => void;
  readonly onDismiss: () => void;
}

/** What was just done, with the way back. It stays until it is dismissed. */
export function UndoNotice({ text, onUndo, onDismiss }: UndoNoticeProps) {
  return (
    <div
      role="status"
      className="flex items-center gap-x-1 rounded-control border border-line-strong bg-raised py-1 pr-1 pl-3"
    >
      <p className="min-w-0 flex-1 truncate" title={text}>
        {text}
      </p>
      <Button look="quiet" className="px-2 text-accent" onClick={onUndo}>
        Undo
      </Button>
      <IconButton icon="close" label="Dismiss" onClick={onDismiss} />
    </div>
  );
}
