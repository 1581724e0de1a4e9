/** Tokens of the vocabulary by their text. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "@/base/errors";
import { useServer } from "@/features/server/server";
import { identityOf, modelKey } from "@/model/identity";
import type { TokenSearchResponse } from "@/types/schemas";
import { searchTokens } from "./requests";

export interface TokenSearch {
  /** The answer to exactly this text; null until it is there, and for an empty text. */
  readonly answer: TokenSearchResponse | null;
  readonly error: ApiError | null;
}

/** How long a text must stay as it is before it is asked for. */
const PAUSE_MS = 120;

export function useTokenSearch(text: string, modelName: string): TokenSearch {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { model } = useServer();
  const of = modelKey(model === null ? null : identityOf(model));
  const { data, error } = useQuery({
    queryKey: ["tokens", modelName, of, settled],
    queryFn: ({ signal }) => searchTokens(settled, signal),
    enabled: settled !== "" && settled === text,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return {
    answer: data?.query === text ? data : null,
    error: error === null || settled !== text ? null : asApiError(error),
  };
}
