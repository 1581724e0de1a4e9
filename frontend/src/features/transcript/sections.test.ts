import { expect, test } from "vitest";
import type { Timeline, Token } from "@/model/timeline";
import { sectionsOf } from "./sections";

/** `<…>` is a special token, `[…]` the template's words, `s:` the system's and `m:` the model's; the rest is the user's. */
function timelineOf(...texts: readonly string[]): Timeline {
  const tokens = texts.map((given, index): Token => {
    const special = given.startsWith("<");
    const [, role, text] = /^(s:|m:|)(.*)$/s.exec(given) ?? [];
    const isTemplate = special || given.startsWith("[");
    return {
      index,
      id: index,
      text: isTemplate ? given.replace(/[[\]]/g, "") : (text ?? ""),
      bytes: "",
      special,
      role: isTemplate ? "template" : role === "s:" ? "system" : role === "m:" ? "assistant" : "user",
      logprob_nats: null,
      rank: null,
      entropy_nats: null,
      lens: null,
    };
  });
  const replyStart = texts.findIndex((text) => text.startsWith("m:"));
  return {
    conversationId: "c",
    model: null,
    tokens,
    turns: [{ promptStart: 0, replyStart, userText: null, seed: null, finish: "stop" }],
    status: "settled",
  };
}

const cutOf = (timeline: Timeline): string[] =>
  sectionsOf(timeline).map(({ speaker, start, end }) => `${speaker} ${start}-${end}`);

test("a system prompt is a section of its own, up to the special token that begins the user's message", () => {
  const timeline = timelineOf(
    ...["<im_start>", "[system]", "[\n]", "s:Be brief.", "<im_end>", "[\n]"],
    ...[
      "<im_start>",
      "[user]",
      "[\n]",
      "Hi",
      "<im_end>",
      "[\n]",
      "<im_start>",
      "[assistant]",
      "[\n]",
      "m:Yes",
    ],
  );
  expect(cutOf(timeline)).toEqual(["system 0-6", "user 6-12", "model 12-16"]);
});

test("so is the one that a template writes by itself", () => {
  const timeline = timelineOf(
    ...["<im_start>", "[system]", "[\n]", "[You are Qwen.]", "<im_end>", "[\n]"],
    ...["<im_start>", "[user]", "[\n]", "Hi", "<im_end>", "[\n]", "m:Yes"],
  );
  expect(cutOf(timeline)).toEqual(["system 0-6", "user 6-12", "model 12-13"]);
  const headers = timelineOf(
    ...["<begin>", "<header>", "[system]", "<end_header>", "[\n\n]", "[Today]", "<eot>"],
    ...["<header>", "[user]", "<end_header>", "[\n\n]", "Hi", "<eot>", "m:Yes"],
  );
  expect(cutOf(headers)).toEqual(["system 0-7", "user 7-13", "model 13-14"]);
});

test("a template of plain words is cut at its line break", () => {
  const timeline = timelineOf("[System]", "[:]", "s: Be brief.", "[\n]", "[User]", "[:]", " Hi", "m: Yes");
  expect(cutOf(timeline)).toEqual(["system 0-4", "user 4-7", "model 7-8"]);
});

test("a beginning-of-sequence token alone is no system prompt", () => {
  const timeline = timelineOf("<bos>", "<start_of_turn>", "[user]", "[\n]", "Hi", "<end>", "[\n]", "m:Yes");
  expect(cutOf(timeline)).toEqual(["user 0-7", "model 7-8"]);
});
