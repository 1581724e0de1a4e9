/** Searches in the model's vocabulary. */
import { call, client, unwrap } from "@/base/client";
import { withLosslessMatches, withLosslessText } from "@/model/losslessTexts";
import type { TokenSearchResponse, VocabularyToken } from "@/types/schemas";

/** Tokens that a search shows at most. */
const MAX_MATCHES = 20;

export async function searchTokens(query: string, signal: AbortSignal): Promise<TokenSearchResponse> {
  const params = { query: { query, limit: MAX_MATCHES } };
  return withLosslessMatches(unwrap(await call(() => client.GET("/api/tokens", { params, signal }))));
}

/** What one id of the vocabulary stands for. */
export async function fetchToken(tokenId: number, signal: AbortSignal): Promise<VocabularyToken> {
  const params = { path: { token_id: tokenId } };
  return withLosslessText(unwrap(await call(() => client.GET("/api/tokens/{token_id}", { params, signal }))));
}
