import { useState } from "react";
import { IconButton } from "./Button";

/** Copies the exact text and says whether that worked. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: () => string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  const copy = (): void => {
    navigator.clipboard.writeText(text()).then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  };
  return (
    <span className="flex items-center">
      <span role="status" className="text-label text-muted">
        {outcome === "copied" && "Copied"}
        {outcome === "failed" && "The browser refused; select the text and copy it"}
      </span>
      <IconButton
        icon={outcome === "copied" ? "check" : "copy"}
        label={label}
        onClick={copy}
        onBlur={() => setOutcome(null)}
      />
    </span>
  );
}
