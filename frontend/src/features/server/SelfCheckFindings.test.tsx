import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { MODEL } from "@/test/server";
import SelfCheckFindings from "./SelfCheckFindings";

const NAME = "Blocks in 16 bits against float32, on one sentence";

test("a model in 16 bits says how far its numbers are from those of float32", () => {
  const precision = { max_logit_diff: 0.3125, max_probability_diff: 0.01234, same_top1: 18, n_tokens: 19 };
  render(<SelfCheckFindings check={{ ...MODEL.self_check, precision }} />);
  expect(screen.getByText(NAME).nextElementSibling).toHaveTextContent(
    "probabilities at most 0.012 apart, logits 0.31; the same top-1 after 18 of 19 tokens",
  );
});

test("a model in float32 says nothing of it", () => {
  render(<SelfCheckFindings check={MODEL.self_check} />);
  expect(screen.queryByText(NAME)).toBeNull();
});
