/** Stands where B will be. */
export function ReadingB() {
  return (
    <p role="status" className="p-3 text-muted">
      Reading B…
    </p>
  );
}
