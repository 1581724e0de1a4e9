import { describe, expect, test } from "vitest";
import type { SavedConversation } from "@/api/conversations";
import { samplingOf } from "./replyRequest";

type Turn = SavedConversation["turns"][number];

const sampling = (temperature: number): Turn["sampling"] => ({
  temperature,
  top_k: 0,
  top_p: 1,
  seed: 1,
  max_new_tokens: 8,
  stop: [],
});
const turn = (reply_start: number, end: number, temperature: number) =>
  ({ reply_start, end, sampling: sampling(temperature) }) as Turn;
const turns = [turn(4, 9, 0.1), turn(14, 20, 0.2)];

describe("how the reply at the end was sampled", () => {
  test("is told by its turn", () => {
    expect(samplingOf(turns, 20)?.temperature).toBe(0.2);
    expect(samplingOf(turns, 9)?.temperature).toBe(0.1);
  });
  test("is known where the server kept more of a stopped reply than the page was sent", () => {
    expect(samplingOf(turns, 19)?.temperature).toBe(0.2);
  });
  test("is not known of a reply that is not stored yet, nor where no reply is at the end", () => {
    expect(samplingOf(turns, 21)).toBeNull();
    expect(samplingOf(turns, 14)).toBeNull();
    expect(samplingOf([], 5)).toBeNull();
  });
});
