/** The steps of the tour: where to look and what is there. */

export interface TourStep {
  /** Value of `data-tour` at the place. */
  readonly place: string;
  readonly title: string;
  readonly text: string;
}

export const TOUR: readonly TourStep[] = [
  {
    place: "composer",
    title: "Send a text",
    text: "Write a message here, or begin with one of the worked examples. The model’s reply comes token by token.",
  },
  {
    place: "tokens",
    title: "Click any token",
    text: "Yours or the model’s: each is a prediction that can be looked into. The keys [ and ] go from token to token.",
  },
  {
    place: "evidence",
    title: "See it form, layer by layer",
    text: "The evidence follows the selected token. The output is at the top, the embedding at the bottom; j and k choose a layer.",
  },
  {
    place: "views",
    title: "Look at it in other ways",
    text: "Each tab is a view of the same numbers, and the sign beside them says what the open view is not. The number keys change the view.",
  },
  {
    place: "export",
    title: "Take it away",
    text: "As a picture, a table, or a Python script that computes the numbers again. Everything else is a word away: press Ctrl-K or ⌘K.",
  },
];
