/** A view's export as a file of text, in each of its formats. */
import { exportJson } from "./exportJson";
import { fileName } from "./fileName";
import { pythonNotebook, pythonScript } from "./pythonScript";
import { type Table, toCsv } from "./table";
import { type ExportSource, type ViewExport, isThroughLens } from "./viewExport";

export type FileFormat = "csv" | "json" | "py" | "ipynb";

export interface ExportFile {
  readonly form: FileFormat;
  readonly name: string;
  readonly mime: string;
  readonly text: string;
}

/** Everything but the picture in pixels, which needs a browser. Throws FigureTooLarge. */
export function exportFile(
  form: ExportFile["form"],
  viewExport: ViewExport,
  source: ExportSource,
): ExportFile {
  const stem = fileName(source, viewExport.place);
  const file = (mime: string, text: string): ExportFile => ({ form, name: `${stem}.${form}`, mime, text });
  switch (form) {
    case "csv":
      return file("text/csv;charset=utf-8", toCsv(withSource(viewExport.table, source)));
    case "json":
      return file("application/json", `${JSON.stringify(exportJson(viewExport, source), null, 1)}\n`);
    case "py":
      return file("text/x-python", pythonScript(viewExport, source, stem));
    case "ipynb":
      return file("application/x-ipynb+json", pythonNotebook(viewExport, source, stem));
  }
}

/** Each row says of which model and lens it is, so that a file explains itself. */
function withSource({ columns, rows }: Table, exported: ExportSource): Table {
  const { model, lens, steering } = exported;
  const source = [
    { key: "model", value: model.model_name },
    ...(isThroughLens(exported) ? [{ key: "lens", value: lens }] : []),
    ...(steering === undefined ? [] : [{ key: "steering", value: JSON.stringify(steering) }]),
  ];
  return {
    columns: [...source.map(({ key }) => ({ key, unit: null })), ...columns],
    rows: rows.map((row) => [...source.map(({ value }) => value), ...row]),
  };
}
