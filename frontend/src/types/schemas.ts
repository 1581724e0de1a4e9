/** Short names for what the API sends. */
import type { components } from "./api";

type Schemas = components["schemas"];
export type OpeningExample = Schemas["OpeningExample"];
export type Health = Schemas["Health"];
export type ListedModel = Schemas["ListedModel"];
export type ModelList = Schemas["ModelList"];
export type ModelChoice = Omit<Schemas["ModelChoice"], "unload_first"> &
  Partial<Pick<Schemas["ModelChoice"], "unload_first">>;
export type ModelInfo = Schemas["ModelInfo"];
export type LensReadRequest = Schemas["LensReadRequest"];
export type LensReadResponse = Schemas["LensReadResponse"];
export type AttentionRequest = Schemas["AttentionRequest"];
export type AttentionResponse = Schemas["AttentionResponse"];
export type AttributionRequest = Schemas["AttributionRequest"];
export type AttributionResponse = Schemas["AttributionResponse"];
export type AttributionPart = Schemas["AttributionPart"];
export type WritesRequest = Schemas["WritesRequest"];
export type WritesResponse = Schemas["WritesResponse"];
export type DoseRequest = Schemas["DoseRequest"];
export type DoseResponse = Schemas["DoseResponse"];
export type CompareRequest = Schemas["CompareRequest"];
export type TokenMatch = Schemas["TokenMatch"];
export type VocabularyToken = Schemas["VocabularyToken"];
export type TokenSearchResponse = Schemas["TokenSearchResponse"];
export type PatchRequest = Schemas["PatchRequest"];
/** The typed client gives pairs of positions as lists. */
type WithPairs<T> = Omit<T, "positions"> & { readonly positions: readonly (readonly number[])[] };
export type PatchResponse = WithPairs<Schemas["PatchResponse"]>;
export type PatchMapRequest = Schemas["PatchMapRequest"];
export type JobInfo = Omit<Schemas["JobInfo"], "result"> & {
  readonly result: WithPairs<Schemas["PatchMapResult"]>;
};
/** A lens that is fitted. */
export type FitJob = Schemas["FitJobInfo"];
export type FitLensRequest = Schemas["FitLensRequest"];
export type AnyJob = JobInfo | FitJob;
export type JobSummary = Schemas["JobSummary"];
export type JobStreamEvent =
  | (Omit<Schemas["JobEvent"], "job"> & { readonly job: AnyJob })
  | (Omit<Schemas["JobDoneEvent"], "job"> & { readonly job: AnyJob })
  | Schemas["ProgressEvent"]
  | Schemas["CellsEvent"]
  | Schemas["JobErrorEvent"]
  | Schemas["JobCancelledEvent"];
