import type { Mode } from "@/features/chat/chatState";

/** A message on its way: still text, because its tokens are not known before the server has them. */
export function PendingMessage({ text, mode }: { readonly text: string; readonly mode: Mode }) {
  if (text === "") return null;
  if (mode === "completion")
    return (
      <p dir="auto" className="text-title leading-7 whitespace-pre-wrap text-quiet">
        {text}
      </p>
    );
  return (
    <div className="mt-4 gap-x-4 md:grid md:grid-cols-[5.5rem_minmax(0,1fr)]">
      <p className="pt-1 text-label leading-5 font-medium text-muted">You</p>
      <p dir="auto" className="text-title leading-7 break-words whitespace-pre-wrap text-quiet">
        {text}
      </p>
    </div>
  );
}
