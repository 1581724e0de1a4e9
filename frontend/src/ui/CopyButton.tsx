import { useState } from "react";
import { copyText } from "@/base/clipboard";
import { IconButton } from "./Button";

/** Copies the exact text and says whether that worked. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: () => string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  const copy = async (): Promise<void> => setOutcome((await copyText(text())) ? "copied" : "failed");
  return (
    <span className="flex items-center">
      <span role="status" className="text-label text-muted">
        {outcome === "copied" && "Copied"}
        {outcome === "failed" && "The browser gives no access to the clipboard. Select the text and copy it."}
      </span>
      <IconButton
        icon={outcome === "copied" ? "check" : "copy"}
        label={label}
        onClick={() => void copy()}
        onBlur={() => setOutcome(null)}
      />
    </span>
  );
}
