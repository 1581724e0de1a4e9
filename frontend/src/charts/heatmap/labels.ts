/** Texts cut to the width of a cell. Measuring is slow, and the same tokens come again and again. */

const ELLIPSIS = "…";
/** Rooms that are kept; each width of the cells has two. */
const MOST_ROOMS = 4;

/** What was cut to one room. */
interface Cut {
  readonly byId: Map<number, string>;
  readonly byText: Map<string, string>;
}

export class Labels {
  private readonly measure: (text: string) => number;
  private readonly textOf: (tokenId: number) => string;
  /** By room, the latest last: cells and heads have rooms of their own, and are drawn by turns. */
  private readonly cuts = new Map<number, Cut>();

  /** `measure` gives the width of a text, `textOf` the cell form of a token. */
  constructor(measure: (text: string) => number, textOf: (tokenId: number) => string) {
    this.measure = measure;
    this.textOf = textOf;
  }

  /** The cell form of a token, cut to `room` pixels. */
  fitted(tokenId: number, room: number): string {
    const { byId } = this.cutTo(room);
    const known = byId.get(tokenId);
    if (known !== undefined) return known;
    const fitted = tokenId < 0 ? "" : this.cut(this.textOf(tokenId), room);
    byId.set(tokenId, fitted);
    return fitted;
  }

  /** `text` if it fits into `room` pixels, else as much of it as does, with an ellipsis; empty if not even one character does. */
  fit(text: string, room: number): string {
    const { byText } = this.cutTo(room);
    const known = byText.get(text);
    if (known !== undefined) return known;
    const fitted = this.cut(text, room);
    byText.set(text, fitted);
    return fitted;
  }

  private cut(text: string, room: number): string {
    if (this.measure(text) <= room) return text;
    const characters = Array.from(text);
    let fitting = 0;
    let tooLong = characters.length;
    while (fitting + 1 < tooLong) {
      const middle = (fitting + tooLong) >> 1;
      if (this.measure(characters.slice(0, middle).join("") + ELLIPSIS) <= room) fitting = middle;
      else tooLong = middle;
    }
    return fitting === 0 ? "" : characters.slice(0, fitting).join("") + ELLIPSIS;
  }

  private cutTo(room: number): Cut {
    let cut = this.cuts.get(room);
    if (cut === undefined) {
      cut = { byId: new Map(), byText: new Map() };
      this.cuts.set(room, cut);
      const [oldest] = this.cuts.keys();
      if (this.cuts.size > MOST_ROOMS && oldest !== undefined) this.cuts.delete(oldest);
    }
    return cut;
  }
}
