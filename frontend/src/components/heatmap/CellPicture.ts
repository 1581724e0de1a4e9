/** The cells as pixels, one each: for the overview, and for cells too narrow to be drawn one by one. */
import type { Ramp } from "@/lib/colour";
import type { Span } from "@/lib/columns";
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

/** Transparent where there is no value. Null where nothing can be drawn. */
export class CellPicture {
  private readonly looks: CellLooks;
  private readonly ramp: Ramp;
  private readonly answerRamp: Ramp;
  /** Drawn when it is first asked for: most of the time only the overview needs it. */
  private drawn: HTMLCanvasElement | null = null;

  constructor(looks: CellLooks, ramp: Ramp, answerRamp: Ramp) {
    this.looks = looks;
    this.ramp = ramp;
    this.answerRamp = answerRamp;
  }

  get canvas(): HTMLCanvasElement | null {
    this.drawn ??= this.draw();
    return this.drawn;
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

  private draw(): HTMLCanvasElement | null {
    const { looks } = this;
    const { nPositions, nRows } = looks;
    const canvas = document.createElement("canvas");
    canvas.width = nPositions;
    canvas.height = nRows;
    const context = canvas.getContext("2d");
    if (context === null || nPositions === 0 || nRows === 0) return null;
    const image = context.createImageData(nPositions, nRows);
    const pixels = new Uint32Array(image.data.buffer);
    const [plain, answer] = [pixelsOf(this.ramp), pixelsOf(this.answerRamp)];
    for (let position = 0; position < nPositions; position += 1) {
      for (let row = 0; row < nRows; row += 1) {
        if (!looks.hasValue(position, row)) continue;
        const ramp = looks.isAnswer(position, row) ? answer : plain;
        pixels[row * nPositions + position] = ramp[looks.step(position, row)] ?? 0;
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }
}
