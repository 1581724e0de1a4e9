/** Several requests of read-outs at once; a module of its own, because the first view does without. */
import { useQueries } from "@tanstack/react-query";
import { type ReadingRequest, type SingleReading, queryOf, stateOf } from "./useReading";

/** In the order of the requests, which may come and go; the answers are shown as they are. */
export function useReadings<Answer>(
  requests: readonly Omit<ReadingRequest<Answer, Answer>, "merge">[],
): readonly SingleReading<Answer>[] {
  const asked = requests.map((request) => ({ ...request, merge: (answer: Answer) => answer }));
  const found = useQueries({ queries: asked.map(queryOf) });
  return found.flatMap((each, i) => {
    const request = asked[i];
    return request === undefined ? [] : [{ data: each.data ?? null, ...stateOf(request, each) }];
  });
}
