/** Keys of an input method: Enter takes a character, the arrows choose among several, Escape gives up. */

/**
 * Whether an input method takes the key, so that it means nothing to the page. Safari ends the composition
 * before the Enter that ended it arrives, so `isComposing` is false there; only the key code tells.
 */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- no other property tells it in Safari
export const isOfInputMethod = ({ isComposing, keyCode }: KeyboardEvent): boolean =>
  isComposing || keyCode === 229;

/** For what closes by Escape: giving up a composition leaves it open. */
export const keepFromInputMethod = (event: KeyboardEvent): void => {
  if (isOfInputMethod(event)) event.preventDefault();
};
