/** How many requests it takes to read the attention of one position. */
import type { ModelInfo } from "@/types/schemas";

/** Values in one answer of the server. */
const MAX_VALUES = 1_000_000;

export type ModelSize = Pick<ModelInfo, "num_layers" | "num_heads">;

/** The blocks of each request that it takes to read all of them, each head with so many tokens; null for all blocks in one. */
export function blocksOfRequests(
  { num_layers, num_heads }: ModelSize,
  nOthers: number,
): readonly (number[] | null)[] {
  const perRequest = Math.max(1, Math.floor(MAX_VALUES / ((num_heads ?? 1) * nOthers)));
  if (num_layers <= perRequest) return [null];
  return Array.from({ length: Math.ceil(num_layers / perRequest) }, (_, request) => {
    const first = 1 + request * perRequest;
    return Array.from({ length: Math.min(perRequest, num_layers - first + 1) }, (__, i) => first + i);
  });
}
