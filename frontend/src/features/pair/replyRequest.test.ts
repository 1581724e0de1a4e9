import { describe, expect, test } from "vitest";
import { SAMPLING } from "@/test/saved";
import { samplingOf } from "./replyRequest";

const turn = (reply_start: number, end: number, temperature: number) =>
  ({ start: 0, reply_start, end, finish_reason: "stop", sampling: { ...SAMPLING, temperature } }) as const;
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
