/** Amounts in words that people use: parameters, bytes, rates. */

/** `124M`, `7.1M`, `1.3B`. */
export function formatParameters(count: number): string {
  const [value, unit] =
    count >= 1e9 ? [count / 1e9, "B"] : count >= 1e6 ? [count / 1e6, "M"] : [count / 1e3, "k"];
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "")}${unit}`;
}

/** `548 MB`, `1.2 GB` (powers of ten, as downloads are counted). */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(0)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}

/** `31 tokens/s`, `4.2 tokens/s`. */
export function formatRate(perSecond: number): string {
  return `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)} tokens/s`;
}
