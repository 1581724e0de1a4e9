import type { ReadStatus } from "@/api/chunkedReading";

interface NotReadProps {
  readonly status: ReadStatus | "none";
  /** What is missing, as the subject of a sentence: "The layers of this token". */
  readonly what: string;
}

/** Why read-outs are missing that no request was made for; nothing in the other states. */
export function NotRead({ status, what }: NotReadProps) {
  if (status === "deferred") {
    return <>The model is busy with the reply. {what} are read as soon as it has ended.</>;
  }
  if (status === "unsaved") {
    return (
      <>
        The reply failed and was not saved. {what} cannot be read; dismiss the failure in the conversation to
        go back to what is saved.
      </>
    );
  }
  return null;
}
