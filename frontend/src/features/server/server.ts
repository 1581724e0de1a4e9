/** The server and its model, polled: what runs, whether it is ready, and whether it still answers. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError } from "@/base/errors";
import type { Health, ModelInfo } from "@/types/schemas";
import { checkAccess, fetchHealth, fetchModelInfo } from "./requests";

export interface ServerState {
  /**
   * `connecting`: no answer yet; `lost`: it answered before, or should have by now;
   * `refused`: it answers, but not to this page.
   */
  readonly phase: "connecting" | "lost" | "refused" | Health["status"];
  /** Why the page is refused; null while it is not. */
  readonly refusal: ApiError | null;
  readonly health: Health | null;
  /** Known once the model was ready; kept while the server is away. */
  readonly model: ModelInfo | null;
}

/** A token that the page does not send, or a name by which the server does not go. */
const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && (error.code === "unauthorized" || error.code === "forbidden");

/** Where many replicas answer, even health is refused while all of them are full; none of them is away. */
const isBusy = (error: unknown): boolean => error instanceof ApiError && error.code === "queue_full";

const POLL_READY_MS = 5_000;
const POLL_WAITING_MS = 700;

export function useServer(): ServerState {
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => fetchHealth(signal),
    retry: false,
    refetchInterval: ({ state }) =>
      state.status === "success" && state.data?.status === "ready" && !isChanging(state.data)
        ? POLL_READY_MS
        : POLL_WAITING_MS,
  });
  const { model: name, revision, instance } = health.data ?? {};
  const hasModel = health.data !== undefined && ["ready", "stalled", "draining"].includes(health.data.status);
  const model = useQuery({
    // Another start of the server may run another model, or know more of the same one.
    queryKey: ["model_info", name, revision, instance],
    queryFn: ({ signal }) => fetchModelInfo(signal),
    enabled: hasModel && !health.isError,
    retry: (attempts, cause) => !isRefusal(cause) && attempts < 3,
    staleTime: Infinity,
    placeholderData: (before) => before,
  });
  // A model that loads takes minutes; the token is asked for before.
  const access = useQuery({
    queryKey: ["access", instance],
    queryFn: ({ signal }) => checkAccess(signal),
    enabled: health.data !== undefined && !hasModel && !health.isError,
    retry: false,
    staleTime: Infinity,
  });
  const refusal = [health.error, model.error, access.error].find(isRefusal) ?? null;
  const isLost = health.isError && !isBusy(health.error);
  const phase = refusal !== null ? "refused" : isLost ? "lost" : (health.data?.status ?? "connecting");
  const known = {
    health: health.data ?? null,
    model: model.data !== undefined && isStill(model.data, health.data) ? model.data : null,
  };
  return useMemo(
    () => ({ refusal, phase, health: known.health, model: known.model }),
    [refusal, phase, known.health, known.model],
  );
}

/** Another model loads while the one that runs goes on. */
export const isChanging = (health: Health | null | undefined): boolean => health?.switch?.error === null;

/** Whether the server runs the model that was known last, or has not told yet which one it will run. */
const isStill = (known: ModelInfo, health: Health | undefined): boolean =>
  health === undefined ||
  (health.model === known.model_name && (health.revision === known.revision || health.status === "loading"));
