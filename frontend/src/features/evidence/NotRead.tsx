import type { ReadStatus } from "@/reading/readState";

interface NotReadProps {
  readonly status: ReadStatus;
  /** What is missing, as the subject of a sentence: "The layers of this token". */
  readonly what: string;
}

/** Why read-outs are missing that no request was made for; nothing in the other states. */
export function NotRead({ status, what }: NotReadProps) {
  if (status === "awaited") return <>{what} are read as soon as the model is loaded.</>;
  if (status === "deferred") {
    return <>The model is busy with the reply. {what} are read as soon as it has ended.</>;
  }
  if (status === "unsaved") {
    return (
      <>
        The reply failed, and what the server kept of it is not known yet. {what} can be read once the
        conversation is opened again.
      </>
    );
  }
  return null;
}
