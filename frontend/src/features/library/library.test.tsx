import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { savedConversation } from "@/test/saved";
import { knownFacts } from "./library";

test("the facts of a branch are those that were read last, however long it was then", () => {
  const queries = new QueryClient();
  const read = (length: number, title: string, updatedAt: number): void => {
    queries.setQueryData(["conversation", "one", length], savedConversation({ id: "one", title }), {
      updatedAt,
    });
  };
  expect(knownFacts(queries, "one")).toBeNull();
  read(8, "before", 1);
  read(20, "between", 2);
  expect(knownFacts(queries, "one")?.title).toBe("between");
  read(8, "after", 3);
  expect(knownFacts(queries, "one")?.title).toBe("after");
  expect(knownFacts(queries, "two")).toBeNull();
  expect(knownFacts(queries, null)).toBeNull();
});
