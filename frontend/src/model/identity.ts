/** Which model computed something. Only the same one gives the same numbers again. */
import type { components } from "@/types/api";
import type { ModelIdentity } from "./timeline";

export const identityOf = (
  model: Pick<components["schemas"]["ModelInfo"], "model_name" | "revision" | "source">,
): ModelIdentity => ({ name: model.model_name, revision: model.revision, source: model.source });

/** Whether both are certainly one model: a revision that is unknown is no one's. */
export const isSameModel = (one: ModelIdentity | null, other: ModelIdentity | null): boolean =>
  one !== null &&
  other !== null &&
  one.revision !== null &&
  one.revision === other.revision &&
  one.name === other.name &&
  one.source === other.source;

/** Starts the server with a model; of a folder only the last part of its path is known. */
export function startCommand({ name, source }: ModelIdentity): string {
  switch (source) {
    case "hub":
      return `make run MODEL=${name}`;
    case "local":
      return `make run MODEL=path/to/${name}`;
    case "embedded":
      return "make run MODEL=embedded";
  }
}

/** Names a model in the key of a cache. */
export const modelKey = (model: ModelIdentity | null): string =>
  model === null ? "" : JSON.stringify([model.source, model.name, model.revision]);
