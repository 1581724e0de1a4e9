import type { ApiError } from "@/base/errors";
import { TokenForm } from "./TokenForm";

/** Why the server does not answer this page, and what to do. */
export default function Refused({ refusal }: { readonly refusal: ApiError }) {
  if (refusal.code === "unauthorized") return <TokenForm />;
  return (
    <div role="alert" className="m-auto max-w-md space-y-3 p-6">
      <h2 className="text-page font-semibold">The server does not answer this page</h2>
      <p className="break-words">{refusal.message}</p>
      <p className="text-muted">{refusal.hint}</p>
      <p className="font-mono text-cell text-muted">{refusal.code}</p>
    </div>
  );
}
