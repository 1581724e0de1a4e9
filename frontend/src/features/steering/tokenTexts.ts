/** Texts of tokens of which only the ids are known. */
import { useQueries } from "@tanstack/react-query";
import { fetchToken } from "@/features/tokenSearch/requests";
import { modelKey } from "@/model/identity";
import type { ModelIdentity } from "@/model/timeline";

/** By id; null until the server has said. */
export function useTokenTexts(
  ids: readonly number[],
  model: ModelIdentity | null,
): (tokenId: number) => string | null {
  const wanted = [...new Set(ids)];
  const found = useQueries({
    queries: wanted.map((id) => ({
      queryKey: ["token", modelKey(model), id],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => fetchToken(id, signal),
      enabled: model !== null,
      staleTime: Number.POSITIVE_INFINITY,
      retry: 1,
    })),
  });
  return (tokenId) => found[wanted.indexOf(tokenId)]?.data?.text ?? null;
}
