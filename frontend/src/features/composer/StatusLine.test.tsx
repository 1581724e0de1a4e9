import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Activity } from "@/features/chat/chatState";
import { StatusLine } from "./StatusLine";

const LINE = { usedTokens: 1, contextLength: 9, rate: null, jobs: 0, blocked: null, isUnseen: false };

test.each([
  [null, "Queued: the model is busy"],
  [{ position: 1, secondsLeft: 0.2 }, "Queued: next, about 1 s"],
  [{ position: 3, secondsLeft: 8.1 }, "Queued: number 3, about 9 s"],
])("a request that waits says where and how long, as far as that is known: %o", (queued, words) => {
  render(<StatusLine {...LINE} activity="queued" queued={queued} />);
  expect(screen.getByRole("status")).toHaveTextContent(words);
});

test.each<[Activity, string]>([
  ["remoteQueued", "Queued on NDIF"],
  ["deploying", "NDIF loads the model…"],
])("a reply on NDIF says how far its job is: %s", (activity, words) => {
  render(<StatusLine {...LINE} activity={activity} queued={null} />);
  expect(screen.getByRole("status")).toHaveTextContent(words);
});
