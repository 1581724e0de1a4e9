/** Texts cut to the width of a cell. Measuring is slow, and the same tokens come again and again. */

const ELLIPSIS = "…";

export class Labels {
  private readonly measure: (text: string) => number;
  private readonly textOf: (tokenId: number) => string;
  private readonly byId = new Map<number, string>();
  private readonly byText = new Map<string, string>();
  private room = -1;

  /** `measure` gives the width of a text, `textOf` the cell form of a token. */
  constructor(measure: (text: string) => number, textOf: (tokenId: number) => string) {
    this.measure = measure;
    this.textOf = textOf;
  }

  /** The cell form of a token, cut to `room` pixels. */
  fitted(tokenId: number, room: number): string {
    this.useRoom(room);
    const known = this.byId.get(tokenId);
    if (known !== undefined) return known;
    const fitted = tokenId < 0 ? "" : this.cut(this.textOf(tokenId), room);
    this.byId.set(tokenId, fitted);
    return fitted;
  }

  /** `text` if it fits into `room` pixels, else as much of it as does, with an ellipsis; empty if not even one character does. */
  fit(text: string, room: number): string {
    this.useRoom(room);
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    const fitted = this.cut(text, room);
    this.byText.set(text, fitted);
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

  private useRoom(room: number): void {
    if (room === this.room) return;
    this.room = room;
    this.byId.clear();
    this.byText.clear();
  }
}
