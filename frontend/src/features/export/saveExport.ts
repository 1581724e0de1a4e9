/** Saves an export as a file of text, or copies it. */
import { copyText } from "@/base/clipboard";
import { download } from "@/base/download";
import { type FileFormat, exportFile } from "./exportFile";
import type { ExportSource, ViewExport } from "./viewExport";

/** Returns a message for the status line. Throws an Error whose message can be shown. */
export async function saveExport(
  format: FileFormat | "code",
  viewExport: ViewExport,
  source: ExportSource,
): Promise<string> {
  if (format === "code") {
    const { text } = exportFile("py", viewExport, source);
    if (!(await copyText(text))) {
      throw new Error("The browser gives no access to the clipboard. Save the Python script as a file.");
    }
    return "Copied a Python script that computes these numbers again.";
  }
  const { name, mime, text } = exportFile(format, viewExport, source);
  download(name, new Blob([text], { type: mime }));
  return `Saved ${name}`;
}
