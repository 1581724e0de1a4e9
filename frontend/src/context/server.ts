/** The server and its model, polled: what runs, whether it is ready, and whether it still answers. */
import { useQuery } from "@tanstack/react-query";
import { type Health, type ModelInfo, fetchHealth, fetchModelInfo } from "@/api/client";

export interface ServerState {
  /** `connecting`: no answer yet; `lost`: it answered before, or should have by now. */
  readonly phase: "connecting" | "lost" | Health["status"];
  readonly health: Health | null;
  /** Known once the model was ready; kept while the server is away. */
  readonly model: ModelInfo | null;
}

const POLL_READY_MS = 5_000;
const POLL_WAITING_MS = 700;

export function useServer(): ServerState {
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => fetchHealth(signal),
    retry: false,
    refetchInterval: ({ state }) =>
      state.status === "success" && state.data?.status === "ready" ? POLL_READY_MS : POLL_WAITING_MS,
  });
  const name = health.data?.model;
  const hasModel = health.data !== undefined && ["ready", "stalled", "draining"].includes(health.data.status);
  const model = useQuery({
    queryKey: ["model_info", name],
    queryFn: ({ signal }) => fetchModelInfo(signal),
    enabled: hasModel && !health.isError,
    staleTime: Infinity,
  });
  return {
    phase: health.isError ? "lost" : (health.data?.status ?? "connecting"),
    health: health.data ?? null,
    model: model.data ?? null,
  };
}
