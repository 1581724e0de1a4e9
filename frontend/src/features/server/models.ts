/** The models that can be chosen, and the choice of one. */
import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { call, client, unwrap } from "@/base/client";
import { isSameModel } from "@/model/identity";
import type { ModelIdentity } from "@/model/timeline";
import type { ListedModel, ModelChoice, ModelList } from "@/types/schemas";

export function useModels(): UseQueryResult<ModelList> {
  return useQuery({
    queryKey: ["models"],
    queryFn: async ({ signal }) => unwrap(await call(() => client.GET("/api/models", { signal }))),
    retry: false,
    // What lies on the disk, and what is free, changes without the page.
    staleTime: 0,
    gcTime: 0,
  });
}

/** Begins to load a model, and has the page notice at once. */
export function useModelChange(): (choice: ModelChoice) => Promise<void> {
  const queries = useQueryClient();
  return useCallback(
    async (body) => {
      try {
        unwrap(await call(() => client.PUT("/api/model", { body })));
      } finally {
        await queries.invalidateQueries({ queryKey: ["health"] });
      }
    },
    [queries],
  );
}

/** The model of a conversation in the list; a folder that was never loaded is known by its name alone. */
export function listedAs({ models, takes_paths }: ModelList, needed: ModelIdentity): ModelChoice | null {
  const found =
    models.find(({ identity }) => isSameModel(identity, needed)) ??
    models.find(
      ({ identity, name, source }) => identity === null && source === needed.source && name === needed.name,
    );
  if (found !== undefined) return { model: found.key };
  // Another revision than the one that is cached, or one that has to be downloaded.
  return needed.source === "hub" && takes_paths
    ? { model: needed.name, ...(needed.revision === null ? {} : { revision: needed.revision }) }
    : null;
}

/** The models whose name, kind or key contains each word of a text. */
export function matching(models: readonly ListedModel[], text: string): readonly ListedModel[] {
  const words = text.toLowerCase().split(/\s+/);
  return models.filter(({ name, key, architecture }) => {
    const searched = `${name} ${key} ${architecture ?? ""}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}
