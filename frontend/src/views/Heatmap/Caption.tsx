interface CaptionProps {
  readonly hasNotes: boolean;
  /** Input and output embeddings are shared, and the lens reads the embedding as it is. */
  readonly echoes: boolean;
}

/** How a column reads, and what the marks in it mean. */
export function Caption({ hasNotes, echoes }: CaptionProps) {
  return (
    <p className="mt-auto px-3 py-2 text-label text-muted">
      A column is read at its token and predicts the next one; selecting a cell selects the token it predicts.
      The corner mark <span aria-hidden="true">◥</span> says that top-1 is the actual next token
      {hasNotes && (
        <>
          , and <span aria-hidden="true">◤</span> that a cell has a note; a line under a token says the same
          of the token
        </>
      )}
      . {echoes && "Layer 0 (embedding) tends to echo its own token: input and output embeddings are shared."}
    </p>
  );
}
