/** The steps of the tour: where to look and what is there. All of it is on the screen with the worked example. */

export interface TourStep {
  /** Selects the place on the page. */
  readonly place: string;
  readonly title: string;
  readonly text: string;
  /** The text for a finger, where it differs. */
  readonly touchText?: string;
}

export const TOUR: readonly TourStep[] = [
  {
    place: "[data-tour=tokens] [aria-selected=true]",
    title: "Every word is a prediction",
    text: "This one is selected. Click any other, yours or the model’s, to look into it instead; the keys [ and ] go from token to token.",
    touchText: "This one is selected. Tap any other, yours or the model’s, to look into it instead.",
  },
  {
    place:
      "[data-tour=evidence] [data-part=layer][aria-current=true], [data-tour=evidence] [data-part=layer]",
    title: "See it form, layer by layer",
    text: "Each row is what one layer predicts: the output at the top, the embedding at the bottom. Click a row, or press j and k, to choose a layer.",
    touchText:
      "Each row is what one layer predicts: the output at the top, the embedding at the bottom. Tap a row to choose its layer.",
  },
  {
    place: "[data-tour=views] [role=tab]:nth-child(3)",
    title: "Look at it in other ways",
    text: "Each tab is a view of the same numbers: this one draws the token and its rivals over the layers. The number keys change the view.",
    touchText:
      "Each tab is a view of the same numbers: this one draws the token and its rivals over the layers.",
  },
  {
    place: "[data-tour=export]",
    title: "Take it away",
    text: "As a picture, a table, or a Python script that computes the numbers again.",
  },
  {
    place: "[data-tour=composer]",
    title: "Now yours",
    text: "Write a message here, or put another token in place of one of the model’s. Everything else is a word away: press Ctrl-K or ⌘K.",
    touchText: "Write a message here. Everything else is in the list of conversations, at the top left.",
  },
];
