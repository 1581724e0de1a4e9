import { useState } from "react";
import { readStored, writeStored } from "@/lib/stored";

export const MAX_TOP_K = 50;
const STORED_AS = "standard-top-k";

export const isTopK = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_TOP_K;

/** How many predictions are shown per layer, remembered in this browser. */
export function useTopK(): [number, (topK: number) => void] {
  const [topK, setTopK] = useState(() =>
    readStored(STORED_AS, (stored) => (isTopK(stored) ? stored : undefined), 5),
  );
  return [
    topK,
    (next) => {
      setTopK(next);
      writeStored(STORED_AS, next);
    },
  ];
}
