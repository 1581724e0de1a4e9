/** Colours by lightness, chroma and hue as they are seen (OKLab, Ottosson 2020), to and from `#rrggbb`. */

type Triple = readonly [number, number, number];

const toLinear = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

const fromLinear = (value: number): number =>
  value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;

/** Linear sRGB, each channel 0 to 1, of `#rrggbb`. */
export const linearRgbOf = (hex: string): Triple => {
  const channel = (from: number): number => toLinear(Number.parseInt(hex.slice(from, from + 2), 16) / 255);
  return [channel(1), channel(3), channel(5)];
};

/** Lightness (0 to 1) of a colour in linear sRGB, with its green–red and blue–yellow parts. */
export function oklabOf([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linearRgb(lightness: number, chroma: number, hue: number): Triple {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** `#rrggbb` of a lightness and a hue (degrees), with as much of the chroma as a screen can show. */
export function hexOf(lightness: number, chroma: number, hue: number): string {
  const isShown = (rgb: Triple): boolean => rgb.every((channel) => channel >= -1e-6 && channel <= 1 + 1e-6);
  let rgb = linearRgb(lightness, chroma, hue);
  if (!isShown(rgb)) {
    let [fitting, tooMuch] = [0, chroma];
    for (let halving = 0; halving < 10; halving += 1) {
      const middle = (fitting + tooMuch) / 2;
      if (isShown(linearRgb(lightness, middle, hue))) fitting = middle;
      else tooMuch = middle;
    }
    rgb = linearRgb(lightness, fitting, hue);
  }
  const channels = rgb.map((channel) =>
    Math.round(255 * fromLinear(Math.min(1, Math.max(0, channel))))
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${channels.join("")}`;
}
