/** How far a reading is, the same for every way to read: `evidence/ReadingFrame.tsx` draws each state. */
import type { ApiError } from "@/base/errors";
import type { Readability } from "./readability";

/**
 * - `none`: nothing is asked for
 * - `awaited`: the model is not loaded yet, reading starts when it is
 * - `deferred`: the model is busy with the reply, reading starts when it has ended
 * - `unsaved`: the reply failed and was not stored, so what is missing cannot be read
 * - `cancelled`: the person stopped the reading
 */
export type ReadStatus = "none" | Exclude<Readability, "ready"> | "loading" | "cancelled" | "failed" | "done";

export interface ReadState<Status extends ReadStatus = ReadStatus> {
  readonly status: Status;
  readonly error: ApiError | null;
  /** Reads what failed or was cancelled. */
  readonly retry: () => void;
}
