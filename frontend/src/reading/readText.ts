/** The ids under which something was read, to tell when a timeline has others at the same positions. */
interface Identified {
  readonly id: number;
}

export class ReadText {
  private ids: readonly number[] = [];

  /** The first index where these tokens are others than before; null where they are the same, fewer or more. */
  follow(tokens: readonly Identified[]): number | null {
    const { ids } = this;
    const shared = Math.min(ids.length, tokens.length);
    let same = 0;
    while (same < shared && ids[same] === tokens[same]?.id) same += 1;
    // Of a text that was cut the rest is remembered: other tokens may follow.
    if (same < shared || tokens.length > ids.length) this.ids = tokens.map(({ id }) => id);
    return same < shared ? same : null;
  }
}
