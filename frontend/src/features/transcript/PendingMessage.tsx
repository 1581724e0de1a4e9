import type { Mode } from "@/features/chat/chatState";

/** A message on its way: still text, because its tokens are not known before the server has them. */
export function PendingMessage({ text, mode }: { readonly text: string; readonly mode: Mode }) {
  if (text === "") return null;
  const message = (
    <p
      lang=""
      dir="auto"
      className="max-w-[66ch] text-title leading-6 break-words whitespace-pre-wrap text-quiet"
    >
      {text}
    </p>
  );
  if (mode === "completion") return message;
  return (
    <div className="mt-4">
      <p className="pb-0.5 text-label leading-5 font-medium text-muted">You</p>
      {message}
    </div>
  );
}
