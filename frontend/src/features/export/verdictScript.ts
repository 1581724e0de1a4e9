/** Python that compares a number of the page with the one computed again, and counts those that differ. */

export const COMPARE = [
  "n_compared = n_different = 0",
  "",
  "",
  "def compare(position, layer, what, shown, computed, is_same):",
  "    global n_compared, n_different",
  "    n_compared += 1",
  "    n_different += not is_same",
  "    print(f\"{position:>11} {layer:>7}  {what:30.30} {shown:14.6g} {computed:14.6g}{'' if is_same else '  DIFFERENT'}\")",
  "",
  "",
  "def precision(log_p):",
  '    """What rounding in float32 may change: more where logits are in the hundreds."""',
  "    return max(TOLERANCE, 2e-6 * log_p.abs().max().item())",
  "",
  "",
  "def is_near(shown, computed, rounding):",
  "    return abs(shown - computed) <= max(rounding, TOLERANCE * abs(shown))",
] as const;

export const HEADING =
  "print(f\"{'read at':>11} {'layer':>7}  {'number':30} {'on the page':>14} {'computed':>14}\")";

export const VERDICT = [
  "if n_different:",
  '    raise SystemExit(f"{n_different} of {n_compared} numbers differ by more than {TOLERANCE}.")',
  'print(f"All {n_compared} numbers are those of the page, to {TOLERANCE}.")',
] as const;
