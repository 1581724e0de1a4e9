/** What the lines are, and what may not be read from them. */
export function LensNote() {
  return (
    <details className="mt-auto px-3 py-2 text-label text-muted">
      <summary className="min-h-6 w-fit rounded-mark py-1 hover:text-ink">
        <span aria-hidden="true">ⓘ</span> What this is not
      </summary>
      <p className="max-w-prose pt-1">
        Each layer is read as if the remaining blocks added nothing: its residual stream goes through the
        model&rsquo;s own final norm and unembedding (the logit lens,{" "}
        <a
          href="https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens"
          target="_blank"
          rel="noreferrer"
          className="text-accent underline"
        >
          nostalgebraist 2020
        </a>
        ); a fitted lens, where one is chosen, moves the layer first. A line that rises at a layer says that
        the token can be read there. It does not say that the layer caused it, and a line that stays low early
        on does not say that the model knew nothing: early layers are often read badly.
      </p>
    </details>
  );
}
