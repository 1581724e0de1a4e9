/** Lists of an exported program, such as `PROBABILITIES`, as they would be in Python. */
import type { ViewScript } from "@/features/export/scriptSection";

type Value = number | null | readonly Value[];

export function scriptRows({ inputs, sections }: ViewScript, name: string): (readonly Value[])[] {
  const text = [...inputs, ...sections].flatMap(({ lines }) => lines).join("\n");
  const list = new RegExp(`^${name} = \\[\\n([^]*?)^\\]`, "m").exec(text)?.[1];
  if (list === undefined) throw new Error(`no ${name} in the script`);
  return [...list.matchAll(/^ {4}\((.*)\),$/gm)].map(
    ([, row = ""]) => JSON.parse(`[${row.replaceAll("None", "null")}]`) as Value[],
  );
}

/** The token ids of `TOKEN_IDS`. */
export function scriptIds({ inputs }: ViewScript, name = "TOKEN_IDS"): number[] {
  const text = inputs.flatMap(({ lines }) => lines).join("\n");
  const list = new RegExp(`^${name} = \\[([^\\]]*)\\]`, "m").exec(text)?.[1];
  if (list === undefined) throw new Error(`no ${name} in the script`);
  return (list.match(/\d+/g) ?? []).map(Number);
}
