import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { MODEL } from "@/test/server";
import ModelDetails from "./ModelDetails";

const lenses = () => screen.getByText("Lenses").nextElementSibling;

test("a model without fitted lenses says which are missing and where it says how to fit them", () => {
  render(<ModelDetails model={MODEL} />);
  expect(lenses()).toHaveTextContent(
    "logit; not fitted to this model: tuned, Jacobian (docs/usage.md, Lenses)",
  );
});

test("a model that has every lens lists them", () => {
  const fitted = (["logit", "tuned", "jacobian"] as const).map((kind) => ({
    kind,
    fitted_tokens: null,
    origin: "shipped" as const,
    beats_controls: null,
    unfitted_layers: [],
  }));
  render(<ModelDetails model={{ ...MODEL, lenses: fitted }} />);
  expect(lenses()?.textContent).toBe("logit, tuned, Jacobian");
});
