/** Puts text on the clipboard; false where the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Refused, or not there: over plain http by another name than localhost `clipboard` is undefined.
    return copySelection(text);
  }
}

/** The older way: selects a text for a moment and copies it, as a person would. */
function copySelection(text: string): boolean {
  const selection = window.getSelection();
  if (selection === null) return false;
  const before = Array.from({ length: selection.rangeCount }, (_, i) => selection.getRangeAt(i));
  const source = document.createElement("span");
  source.textContent = text;
  source.setAttribute("aria-hidden", "true");
  source.style.cssText = "position: fixed; top: 0; white-space: pre; opacity: 0; user-select: text";
  source.addEventListener("copy", (event) => {
    event.stopPropagation();
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
  });
  document.body.append(source);
  selection.selectAllChildren(source);
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way over plain http
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    selection.removeAllRanges();
    for (const range of before) selection.addRange(range);
    source.remove();
  }
}
