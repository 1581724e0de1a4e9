/** SVG written as text: elements, safe text, and how wide a text will be where nothing can measure it. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Characters that XML cannot hold, not even escaped; half a surrogate pair is one of them. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

export const escapeXml = (text: string): string =>
  text.replace(NOT_XML, "\ufffd").replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");

/** An element; attributes that are undefined are left out, numbers are rounded to hundredths. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [` ${key}="${typeof value === "number" ? Math.round(value * 100) / 100 : escapeXml(value)}"`],
  );
  const inside = content.join("");
  return inside === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${inside}</${name}>`;
}

export const textElement = (x: number, y: number, text: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, escapeXml(text));

const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60]/u;
const NO_WIDTH = /[\p{M}\p{Default_Ignorable_Code_Point}]/u;

/** Width of a text in JetBrains Mono, rather too much than too little: other scripts have other fonts. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) {
    if (!NO_WIDTH.test(character)) width += WIDE.test(character) ? 1.1 : 0.61;
  }
  return width * size;
}

const NARROW = /[iljtfrI.,:;'’|!()[\]“”" ]/;
const BROAD = /[mwMW@%—]/;

/** Width of a text in Inter, a little more than it is, in shares of the size. */
export function proseWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) {
    if (NO_WIDTH.test(character)) continue;
    if (WIDE.test(character)) width += 1.1;
    else if (NARROW.test(character)) width += 0.36;
    else if (BROAD.test(character)) width += 0.92;
    else width += /[A-Z\d]/.test(character) ? 0.69 : 0.6;
  }
  return width * size;
}

/** As much of a text as fits, with an ellipsis where something is missing; empty where nothing fits. */
export function cutText(text: string, size: number, room: number): string {
  if (textWidth(text, size) <= room) return text;
  let kept = "";
  let width = textWidth("…", size);
  for (const character of text) {
    width += textWidth(character, size);
    if (width > room) break;
    kept += character;
  }
  return kept === "" ? "" : `${kept}…`;
}

/** Lines of prose of at most `room`, broken at spaces; a longer word is cut. */
export function wrapText(text: string, size: number, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && proseWidth(longer, size) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => (proseWidth(each, size) > room ? cutText(each, size, room) : each));
}
