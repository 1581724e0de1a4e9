import { useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { hasToken, keepToken } from "@/base/token";
import { Button } from "@/ui/Button";

/** What a header can hold. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** Asks for the token of this server, once: it is kept in the browser. */
export function TokenForm() {
  const queries = useQueryClient();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [isWrong, setIsWrong] = useState(hasToken);
  const given = typed.trim();
  return (
    <form
      className="m-auto w-full max-w-md space-y-3 p-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (given === "") return;
        if (!SENDABLE.test(given)) {
          setIsWrong(true);
          return;
        }
        keepToken(given);
        // With the right one the form is gone by then.
        void queries.resetQueries().then(() => {
          setTyped("");
          setIsWrong(true);
        });
      }}
    >
      <h2 className="text-page font-semibold">This server needs a token</h2>
      <p className="text-muted">Whoever runs the server gives you yours.</p>
      <label htmlFor={id} className="block">
        Your token
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          value={typed}
          aria-invalid={isWrong}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            setTyped(event.target.value);
            setIsWrong(false);
          }}
          className="h-control min-w-0 flex-1 rounded-control border border-line-strong bg-surface px-2 font-mono aria-invalid:border-danger"
        />
        <Button look="primary" type="submit">
          Open
        </Button>
      </div>
      <p id={`${id}-hint`} role="status" className="text-label text-muted">
        {isWrong ? (
          <span className="text-danger">The server does not know this token.</span>
        ) : (
          "It is kept in this browser; Forget the token, in the palette, takes it away."
        )}
      </p>
    </form>
  );
}
