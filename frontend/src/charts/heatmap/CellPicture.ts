/** The cells as pixels, one each: for the overview, and for cells too narrow to be drawn one by one. */
import type { Span } from "@/base/span";
import type { Ramp } from "@/charts/colour/colour";
import type { CellLooks } from "./cellLooks";

/** Ramps as the pixels of image data: red in the lowest byte. */
const packed = new WeakMap<Ramp, Uint32Array>();

function pixelsOf(ramp: Ramp): Uint32Array {
  const known = packed.get(ramp);
  if (known !== undefined) return known;
  const pixels = Uint32Array.from(ramp.fill, (colour) => {
    const rgb = Number.parseInt(colour.slice(1), 16);
    return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  });
  packed.set(ramp, pixels);
  return pixels;
}

/** Columns of one canvas: browsers draw nothing, without a word, on one that is wider than some 32,000 px. */
const TILE = 16_384;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Transparent where there is no value. */
export class CellPicture {
  private readonly looks: CellLooks;
  private readonly ramp: Ramp;
  private readonly answerRamp: Ramp;
  /** Drawn when they are first needed: most of the time only the overview needs them. */
  private readonly tiles = new Map<number, HTMLCanvasElement | null>();

  constructor(looks: CellLooks, ramp: Ramp, answerRamp: Ramp) {
    this.looks = looks;
    this.ramp = ramp;
    this.answerRamp = answerRamp;
  }

  /** Draws the cells of some positions, and of some rows or (null) of all, into a rectangle. */
  paint(context: CanvasRenderingContext2D, positions: Span, rows: Span | null, into: Rectangle): void {
    const { start, end } = rows ?? { start: 0, end: this.looks.nRows };
    const scale = into.width / (positions.end - positions.start);
    for (let tile = Math.floor(positions.start / TILE); tile * TILE < positions.end; tile += 1) {
      const drawn = this.tile(tile);
      if (drawn === null) continue;
      const from = Math.max(positions.start, tile * TILE);
      const across = Math.min(positions.end, (tile + 1) * TILE) - from;
      const x = into.x + (from - positions.start) * scale;
      context.drawImage(
        drawn,
        from - tile * TILE,
        start,
        across,
        end - start,
        x,
        into.y,
        across * scale,
        into.height,
      );
    }
  }

  /** Runs of positions that are not read. */
  unread({ start, end }: Span): Span[] {
    const runs: Span[] = [];
    let from: number | null = null;
    for (let position = start; position <= end; position += 1) {
      const isMissing = position < end && !this.looks.isRead(position);
      if (isMissing) from ??= position;
      else if (from !== null) {
        runs.push({ start: from, end: position });
        from = null;
      }
    }
    return runs;
  }

  private tile(tile: number): HTMLCanvasElement | null {
    let drawn = this.tiles.get(tile);
    if (drawn === undefined) {
      drawn = this.draw(tile * TILE, Math.min(TILE, this.looks.nPositions - tile * TILE));
      this.tiles.set(tile, drawn);
    }
    return drawn;
  }

  private draw(first: number, width: number): HTMLCanvasElement | null {
    const { looks } = this;
    const { nRows } = looks;
    if (width <= 0 || nRows === 0) return null;
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = nRows;
    const context = canvas.getContext("2d");
    if (context === null) return null;
    const image = context.createImageData(width, nRows);
    const pixels = new Uint32Array(image.data.buffer);
    const [plain, answer] = [pixelsOf(this.ramp), pixelsOf(this.answerRamp)];
    for (let column = 0; column < width; column += 1) {
      const position = first + column;
      for (let row = 0; row < nRows; row += 1) {
        if (!looks.hasValue(position, row)) continue;
        const ramp = looks.isAnswer(position, row) ? answer : plain;
        pixels[row * width + column] = ramp[looks.step(position, row)] ?? 0;
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }
}
