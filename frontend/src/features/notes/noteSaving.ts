/**
 * Saves notes behind the page: one change of a branch at a time. Each is laid over what the server
 * holds just then, so that the last edit counts and another tab's notes stay.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { asApiError } from "@/base/errors";
import { changeAnnotations } from "@/features/library/annotations";
import { rememberNotes } from "@/features/library/library";
import { type NotesAction, type NotesState, listToSave, unsavedBranches } from "./notesState";

/** Saves what is not saved yet, and asks before the page is left with it. */
export function useNoteSaving(state: NotesState, dispatch: (action: NotesAction) => void): void {
  const queries = useQueryClient();
  const latest = useRef(state);
  const saving = useRef(new Set<string>());
  const [, setCrash] = useState<never>();
  useEffect(() => {
    latest.current = state;
    const save = async (branchId: string): Promise<void> => {
      try {
        const { changes, serials } = await changeAnnotations(branchId, (held) => {
          const list = listToSave(latest.current, branchId, held.notes);
          return { changes: { notes: [...list.notes] }, serials: list.serials };
        });
        const { notes } = changes;
        await rememberNotes(queries, branchId, notes);
        saving.current.delete(branchId);
        dispatch({ type: "saved", branchId, notes, serials });
      } catch (reason) {
        saving.current.delete(branchId);
        dispatch({ type: "failed", branchId, error: asApiError(reason) });
      }
    };
    for (const branchId of unsavedBranches(state)) {
      if (saving.current.has(branchId)) continue;
      saving.current.add(branchId);
      save(branchId).catch((defect: unknown) => {
        setCrash(() => {
          throw defect; // in render, where the error boundary sees it
        });
      });
    }
  }, [state, dispatch, queries]);

  const hasUnsaved = state.changes.length > 0;
  useEffect(() => {
    if (!hasUnsaved) return undefined;
    const onLeave = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", onLeave);
    return () => window.removeEventListener("beforeunload", onLeave);
  }, [hasUnsaved]);
}
