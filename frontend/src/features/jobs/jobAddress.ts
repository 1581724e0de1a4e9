/** Where a job is shown. */
import type { Address } from "@/features/address/address";
import { fetchConversation } from "@/features/library/conversations";
import { fetchJob } from "@/reading/patching";
import type { JobInfo, JobSummary } from "@/types/schemas";

/** False for a job that is about no saved conversation, or that is shown where a lens is chosen. */
export const hasView = ({ kind, conversation_id }: JobSummary): boolean =>
  kind === "patch_map" && conversation_id !== null;

/** The address of the view that shows a job; null where it is about a text that was not saved, or about parts of blocks. */
export async function jobAddress(id: string, signal: AbortSignal): Promise<Address | null> {
  const job = await fetchJob(id, signal);
  if (job.kind !== "patch_map") return null;
  const { clean, corrupt, site, direction } = job.assumed;
  const [idA, idB] = [clean.conversation_id ?? null, corrupt.conversation_id ?? null];
  if (site !== "resid" || idA === null || idB === null) return null;
  const [answer, foil] = await Promise.all([
    chosenToken(idA, clean.tokens.length, job.result.answer, signal),
    chosenToken(idB, corrupt.tokens.length, job.result.foil, signal),
  ]);
  return {
    conversationId: idA,
    viewId: "patch",
    lens: "logit",
    halfLayers: false,
    // What A goes on with where the map is read.
    place: { kind: "token", index: clean.tokens.length },
    pins: [],
    positions: [],
    choices: {
      vs: `saved.${idB}`,
      job: id,
      ...(direction === "denoise" ? {} : { direction }),
      ...(answer === null ? {} : { answer }),
      ...(foil === null ? {} : { foil }),
    },
  };
}

/** The id of the token whose logit is measured, where it is another than the one that the text goes on with. */
async function chosenToken(
  conversationId: string,
  index: number,
  measured: JobInfo["result"]["answer"],
  signal: AbortSignal,
): Promise<string | null> {
  if (measured === null) return null;
  const { tokens } = await fetchConversation(conversationId, true, signal);
  return tokens[index]?.id === measured.token_id ? null : String(measured.token_id);
}
