/** A view's numbers as JSON, with every token id. */
import { layerOf } from "@/model/notes";
import type { Token } from "@/model/timeline";
import { toRecords } from "./table";
import { type ExportSource, type ViewExport, isThroughLens, notesOnExport } from "./viewExport";

export function exportJson(viewExport: ViewExport, source: ExportSource): unknown {
  const { model, lens, view, conversationId, conversationTitle, tokens, at } = source;
  return {
    format: "mechanistic-explorer-export",
    version: 1,
    exported_at: at.toISOString(),
    view: view.id,
    title: viewExport.title,
    facts: viewExport.facts,
    model: {
      name: model.model_name,
      source: model.source,
      revision: model.revision,
      architecture: model.architecture,
      num_layers: model.num_layers,
      vocab_size: model.vocab_size,
      dtype: model.dtype,
      device: model.device,
    },
    lens: isThroughLens(source) ? lens : null,
    conversation_id: conversationId,
    conversation_title: conversationTitle,
    tokens: tokens.map(plainToken),
    notes: notesOnExport(viewExport, source).map((note) => ({
      start: note.start,
      end: note.end,
      layer: layerOf(note),
      text: note.text,
    })),
    ...viewExport.json,
    columns: viewExport.table.columns,
    rows: toRecords(viewExport.table),
  };
}

export const plainToken = ({ index, id, text, bytes, role }: Token) => ({ index, id, text, bytes, role });
