import { useChat } from "./chat";

const WORDS = {
  queued: "Queued on NDIF: the reply begins when other jobs have ended.",
  deploying: "NDIF is loading the model, which may take minutes.",
};

/** Why nothing is written yet, where the reply will be. The status line is read aloud, not this. */
export function RemoteWait() {
  const state = useChat(({ pending, stats }) =>
    pending === null || stats.tokens > 0 || stats.remote === "running" ? null : stats.remote,
  );
  return state === null ? null : <p className="mt-1 text-muted">{WORDS[state]}</p>;
}
