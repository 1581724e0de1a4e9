/** Hands the reader a file. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser starts the download in a task of its own, which needs the address.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const jsonBlob = (content: unknown): Blob =>
  new Blob([JSON.stringify(content)], { type: "application/json" });

/** A name that every file system takes. */
export const fileName = (title: string): string =>
  `${
    title
      .normalize("NFKC")
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 60) || "conversation"
  }.json`;
