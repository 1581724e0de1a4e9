import { useEffect, useState } from "react";
import { readStored, writeStored } from "@/base/stored";
import { useSelection } from "@/features/selection/selection";

const STORED_AS = "has-selected";

/** Says once per person that tokens can be selected: it does not come back after the first. */
export function SelectHint() {
  const { index } = useSelection();
  const [isKnown] = useState(() => readStored(STORED_AS, (value) => value === true || undefined, false));
  useEffect(() => {
    if (index !== null) writeStored(STORED_AS, true);
  }, [index]);
  if (isKnown || index !== null) return null;
  return (
    <p className="mt-3 text-accent">Select any token, yours or the model’s, to see how it was predicted.</p>
  );
}
