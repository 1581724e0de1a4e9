/** Hands an export to the browser: as a file, as a picture, or on the clipboard. */
import { copyText } from "@/base/clipboard";
import { type Drawing, FigureTooLarge } from "@/charts/figure/figure";
import { exportFigure, pixelScale } from "./exportFigure";
import { type FileFormat, exportFile } from "./exportFile";
import { fileName } from "./fileName";
import type { ExportSource, ViewExport } from "./viewExport";

/** Gives what to tell the person. Throws an Error whose message can be shown. */
export async function saveExport(
  format: FileFormat | "code",
  viewExport: ViewExport,
  source: ExportSource,
): Promise<string> {
  if (format === "code") {
    const { text } = exportFile("py", viewExport, source);
    if (!(await copyText(text))) {
      throw new Error("The browser gives no access to the clipboard. Take the Python script as a file.");
    }
    return "Copied a Python script that computes these numbers again.";
  }
  if (format === "png") {
    const name = `${fileName(source, viewExport.place)}.png`;
    save(name, await rasterised(exportFigure(viewExport, source)));
    return `Saved ${name}`;
  }
  const { name, mime, text } = exportFile(format, viewExport, source);
  save(name, new Blob([text], { type: mime }));
  return `Saved ${name}`;
}

function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Once the browser has taken it up, in a task of its own.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function rasterised(drawing: Drawing): Promise<Blob> {
  const scale = pixelScale(drawing);
  const url = URL.createObjectURL(new Blob([drawing.svg], { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = drawing.width * scale;
    canvas.height = drawing.height * scale;
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    // What a browser cannot draw it gives as null, not as an error.
    if (blob === null)
      throw new FigureTooLarge("The browser could not draw a picture this large. Take the SVG.");
    return blob;
  } finally {
    URL.revokeObjectURL(url);
  }
}
