/** What a program needs to know of texts and ids, asked of the server. */
import { fetchToken } from "@/features/tokenSearch/requests";
import { identityOf } from "@/model/identity";
import { fetchLens } from "@/reading/requests";
import type { Lookups } from "./exactInterventions";
import type { ExportSource } from "./viewExport";

export const serverLookups = ({ model }: ExportSource): Lookups => ({
  textOf: async (tokenId) => (await fetchToken(tokenId, new AbortController().signal)).text,
  idsOf: async (text) => {
    const { tokens } = await fetchLens(
      { prompt: text, layers: [0], positions: [0, 1], top_k: 1 },
      identityOf(model),
      new AbortController().signal,
    );
    return tokens.map(({ id }) => id);
  },
});
