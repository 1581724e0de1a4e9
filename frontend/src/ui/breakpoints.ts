/** Where the page changes its shape. `app.css` has the same borders for the styles, held to these by a test. */
export const BREAKPOINTS_REM = {
  /** Narrower is a phone, upright. */
  sm: 40,
  /** Narrower has the evidence as a sheet over the conversation. */
  md: 56.25,
  /** Lower has no room for two things one above the other: a phone on its side, or with its keyboard open. */
  short: 34,
  /** Lower leaves too few rows of data below controls. */
  low: 42,
} as const;
