import { describe, expect, test } from "vitest";
import { exportFile } from "@/features/export/exportFile";
import { asFloat32, toRecords } from "@/features/export/table";
import { madeUpAttention, N_HEADS } from "@/test/attentionData";
import { exportSource } from "@/test/exportSource";
import { parsedFigure, typeSizes } from "@/test/figure";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { scriptIds, scriptRows } from "@/test/scriptRows";
import type { AttentionResponse } from "@/types/schemas";
import { type Scope, ALL_HEADS, rowsOf } from "./heads";
import { attentionExport } from "./viewExport";

const tokens = madeUpTokens(20);
const timeline = madeUpTimeline(tokens, "attention-export");
const POSITION = 11;
const HEAD: Scope = { kind: "head", block: 9, head: 2 };
const view = { id: "attention", title: "Attention", group: "why" };
const madeUp = (kind: AttentionResponse["kind"]) =>
  madeUpAttention(tokens, { position: POSITION, kind, foil: "best" });

const exported = (kind: AttentionResponse["kind"], scope: Scope) =>
  attentionExport({ timeline, rows: madeUp(kind), scope, measure: "outside", withSink: false });

test("what reads a token is exported by the tokens that read it, and computed again from the whole text", () => {
  const answer = madeUpAttention(tokens, { position: POSITION, direction: "read_by" });
  const column = (answer.values[answer.blocks.indexOf(9)]?.[2] ?? []).map(asFloat32);
  const state = { timeline, rows: rowsOf(answer), scope: HEAD, measure: "outside", withSink: false } as const;
  const taken = attentionExport(state);
  const { table, title, script } = taken;
  const rows = toRecords(table);
  expect(title).toMatch(/^What reads “.*block 9, head 2$/);
  expect(rows.map((each) => each["attention_weight"])).toEqual(column);
  expect(rows.map((each) => each["read_at_index"])).toEqual(answer.sources);
  expect(new Set(rows.map((each) => each["source_index"]))).toEqual(new Set([POSITION]));
  const program = script(exportSource(tokens, { view }));
  expect(scriptIds(program)).toEqual(tokens.map(({ id }) => id));
  expect(scriptRows(program, "ATTENTION")).toEqual([[9, 2, column]]);
  expect(program.nNumbers).toBe(column.length);
  const text = program.sections.flatMap(({ lines }) => lines).join("\n");
  expect(text).toContain("each[0, :, SOURCE:, SOURCE]");
  expect(parsedFigure(taken, { size: "page" }).documentElement.textContent).toContain("later tokens");
});

describe.each([
  ["weight", "attention_weight"],
  ["norm", "written_norm"],
  ["logit", "logit_contribution"],
] as const)("%s", (kind, column) => {
  const { blocks, values } = madeUp(kind);
  const row = values[blocks.indexOf(9)]?.[2] ?? [];

  test("the table has every source of the locked head with the server's number", () => {
    const rows = toRecords(exported(kind, HEAD).table);
    expect(rows.map((each) => each[column])).toEqual(row.map(asFloat32));
    expect(rows.map((each) => each["source_token_id"])).toEqual(
      tokens.slice(0, POSITION + 1).map(({ id }) => id),
    );
    expect(rows[1]).toMatchObject({
      read_at_index: POSITION,
      block: 9,
      head: 2,
      source_index: 1,
      message: "User 1",
    });
  });

  test("without a locked head it has all of them", () => {
    const rows = toRecords(exported(kind, ALL_HEADS).table);
    expect(rows).toHaveLength(blocks.length * N_HEADS * (POSITION + 1));
    expect(
      rows.filter((each) => each["block"] === 9 && each["head"] === 2).map((each) => each[column]),
    ).toEqual(row.map(asFloat32));
  });

  test("the program has the ids up to the position and the same numbers", () => {
    const script = exported(kind, HEAD).script(exportSource(tokens, { view }));
    expect(scriptIds(script)).toEqual(tokens.slice(0, POSITION + 1).map(({ id }) => id));
    expect(scriptRows(script, "ATTENTION")).toEqual([[9, 2, row.map(asFloat32)]]);
    expect(script.nNumbers).toBe(POSITION + 1);
    const text = script.sections.flatMap(({ lines }) => lines).join("\n");
    expect(text.includes("def logit_of")).toBe(kind === "logit");
  });

  test("the figure has a cell for each head and a bar for each message, in type that can be read", () => {
    for (const size of ["column", "page", "slide"] as const) {
      const figure = parsedFigure(exported(kind, HEAD), { size });
      expect(Math.min(...typeSizes(figure))).toBeGreaterThanOrEqual(6);
      expect(figure.querySelectorAll("rect").length).toBeGreaterThanOrEqual(blocks.length * N_HEADS);
      const texts = [...figure.querySelectorAll("text")].map(({ textContent }) => textContent);
      expect(texts).toEqual(expect.arrayContaining(["no attention", "First token", "User 1", "Template"]));
    }
  });
});

test("no form of the export names a lens, which has no part in these numbers", () => {
  const source = exportSource(tokens, { view, lens: "tuned" });
  for (const form of ["csv", "json", "py"] as const) {
    const { name, text } = exportFile(form, exported("weight", HEAD), source);
    expect(name).not.toContain("tuned");
    expect(text).not.toContain("tuned");
    expect(text).not.toMatch(/\blens\b(?!": null)/);
  }
});
