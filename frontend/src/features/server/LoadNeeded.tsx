import type { ModelIdentity } from "@/model/timeline";
import { useAttempts } from "@/ui/attempt";
import { Button } from "@/ui/Button";
import { FailedNotice } from "@/ui/FailedNotice";
import { listedAs, useModelChange, useModels } from "./models";

/** Loads the model that a conversation needs, where this server knows where it is. */
export function LoadNeeded({ needed }: { readonly needed: ModelIdentity }) {
  const { data: list } = useModels();
  const change = useModelChange();
  const { failed, attempt, dismiss } = useAttempts();
  const choice = list === undefined ? null : listedAs(list, needed);
  if (choice === null) return null;
  const isLarge = failed?.error.code === "model_too_large";
  const load = (unload_first: boolean): void =>
    attempt("The model was not changed.", () => change({ ...choice, unload_first }));
  return (
    <div className="mt-3 space-y-2">
      <Button look="primary" onClick={() => load(isLarge)}>
        {isLarge ? `Unload the running model and load ${needed.name}` : `Load ${needed.name}`}
      </Button>
      {failed !== null && <FailedNotice {...failed} onDismiss={dismiss} />}
    </div>
  );
}
