/**
 * The page's fonts inside an SVG, so that it looks the same on every machine. The fonts come in files by
 * script; those with characters of the figure are embedded, each once.
 */
import interRanges from "@fontsource-variable/inter/unicode.json";
import monoRanges from "@fontsource/jetbrains-mono/unicode.json";

interface FontFile {
  readonly family: "Inter Variable" | "JetBrains Mono";
  /** As CSS has it; a variable font's is a range. */
  readonly weight: "100 900" | "400" | "700";
  readonly range: string;
  readonly url: string;
}

const INTER = import.meta.glob<string>(
  "../../../node_modules/@fontsource-variable/inter/files/inter-*-wght-normal.woff2",
  { query: "?url&no-inline", import: "default", eager: true },
);
const MONO = import.meta.glob<string>(
  "../../../node_modules/@fontsource/jetbrains-mono/files/jetbrains-mono-*-{400,700}-normal.woff2",
  { query: "?url&no-inline", import: "default", eager: true },
);

const FILES: readonly FontFile[] = [
  ...Object.entries(INTER).flatMap(([path, url]) => {
    const script = /inter-(.+)-wght-normal/.exec(path)?.[1] ?? "";
    const range = Object.entries(interRanges).find(([name]) => name === script)?.[1];
    return range === undefined
      ? []
      : [{ family: "Inter Variable", weight: "100 900", range, url } satisfies FontFile];
  }),
  ...Object.entries(MONO).flatMap(([path, url]) => {
    const [, script = "", weight] = /jetbrains-mono-(.+)-(400|700)-normal/.exec(path) ?? [];
    const range = Object.entries(monoRanges).find(([name]) => name === script)?.[1];
    return range === undefined
      ? []
      : [
          {
            family: "JetBrains Mono",
            weight: weight === "700" ? "700" : "400",
            range,
            url,
          } satisfies FontFile,
        ];
  }),
];

/** Whether a `unicode-range` has a code point: `U+0-FF,U+131`. */
export function isInRange(range: string, codePoint: number): boolean {
  return range.split(",").some((part) => {
    const [first = "", last = first] = part.trim().slice(2).split("-");
    return Number.parseInt(first, 16) <= codePoint && codePoint <= Number.parseInt(last, 16);
  });
}

/** The characters of each family and weight in a figure: `JetBrains Mono 700`. */
function charactersOf(svg: string): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  const document = new DOMParser().parseFromString(svg, "image/svg+xml");
  for (const text of document.querySelectorAll("text")) {
    const isMono = text.closest("[font-family]")?.getAttribute("font-family")?.includes("Mono") === true;
    const isBold = Number(text.closest("[font-weight]")?.getAttribute("font-weight") ?? 400) >= 600;
    const key = isMono ? `JetBrains Mono ${isBold ? 700 : 400}` : "Inter Variable 100 900";
    const characters = found.get(key) ?? new Set();
    for (const character of text.textContent) characters.add(character.codePointAt(0) ?? 0);
    found.set(key, characters);
  }
  return found;
}

/** The files that a figure needs, in the order of `FILES`. */
export function fontFilesOf(svg: string): FontFile[] {
  const used = charactersOf(svg);
  return FILES.filter(({ family, weight, range }) =>
    [...(used.get(`${family} ${weight}`) ?? [])].some((codePoint) => isInRange(range, codePoint)),
  );
}

const dataUrls = new Map<string, Promise<string>>();

/** A font that could not be fetched is asked for again the next time. */
function dataUrlOf(url: string): Promise<string> {
  const known = dataUrls.get(url);
  if (known !== undefined) return known;
  const asked = readDataUrl(url);
  dataUrls.set(url, asked);
  asked.catch(() => dataUrls.delete(url));
  return asked;
}

async function readDataUrl(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error("The fonts of the figure could not be fetched. Try again.");
  const bytes = new Uint8Array(await response.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `data:font/woff2;base64,${btoa(binary)}`;
}

/** The figure with its fonts. Throws an Error where they cannot be fetched. */
export async function withFonts(svg: string): Promise<string> {
  const rules = await Promise.all(
    fontFilesOf(svg).map(
      async ({ family, weight, range, url }) =>
        `@font-face{font-family:"${family}";font-weight:${weight};unicode-range:${range};src:url(${await dataUrlOf(url)}) format("woff2")}`,
    ),
  );
  return svg.replace(/(<svg[^>]*>)/, (start) => `${start}<style>${rules.join("")}</style>`);
}
