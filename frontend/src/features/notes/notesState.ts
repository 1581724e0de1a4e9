/**
 * The notes of every branch as far as they are known, as a pure function of what happened. What was
 * done here and is not saved yet is kept as changes, which are laid over what the server holds, so
 * that none is lost when that is read again, and the last of two edits is the one that counts.
 */
import type { ApiError } from "@/base/errors";
import type { ChatKey } from "@/features/chat/chatState";
import { type Note, type NoteChange, inheritedNotes, withChange } from "@/model/notes";

/** A branch, or the conversation on the page whose reply goes on: only its end tells which branch it is. */
export type NotesOwner = string | ChatKey;

interface UnsavedChange extends NoteChange {
  readonly owner: NotesOwner;
  readonly serial: number;
}

export interface NotesState {
  /** What the server held when it was last heard. */
  readonly known: Readonly<Record<string, readonly Note[]>>;
  readonly changes: readonly UnsavedChange[];
  readonly nextSerial: number;
  /** Why a branch could not be saved; it is not tried again until something is changed or asked for. */
  readonly failures: Readonly<Record<string, ApiError>>;
}

/** A reply that is being written: what it leaves, and how much of that it keeps. */
export interface Writing {
  readonly parentId: string | null;
  readonly fromIndex: number;
}

export type NotesAction =
  | { readonly type: "heard"; readonly branchId: string; readonly notes: readonly Note[] }
  | { readonly type: "changed"; readonly owner: NotesOwner; readonly change: NoteChange }
  /** The reply came to its end in a branch, which keeps its tokens up to `nTokens`; null where in none. */
  | {
      readonly type: "settled";
      readonly key: ChatKey;
      readonly branchId: string | null;
      readonly writing: Writing;
      readonly nTokens: number;
    }
  | {
      readonly type: "saved";
      readonly branchId: string;
      readonly notes: readonly Note[];
      readonly serials: readonly number[];
    }
  | { readonly type: "failed"; readonly branchId: string; readonly error: ApiError }
  | { readonly type: "retried" };

export const NO_NOTES: NotesState = { known: {}, changes: [], nextSerial: 0, failures: {} };

export function notesReducer(state: NotesState, action: NotesAction): NotesState {
  switch (action.type) {
    case "heard":
      return { ...state, known: { ...state.known, [action.branchId]: action.notes } };
    case "changed":
      return {
        ...state,
        changes: [...state.changes, { ...action.change, owner: action.owner, serial: state.nextSerial }],
        nextSerial: state.nextSerial + 1,
        failures: without(state.failures, action.owner),
      };
    case "settled":
      return settle(state, action);
    case "saved":
      return {
        ...state,
        known: { ...state.known, [action.branchId]: action.notes },
        changes: state.changes.filter(({ serial }) => !action.serials.includes(serial)),
        failures: without(state.failures, action.branchId),
      };
    case "failed":
      return { ...state, failures: { ...state.failures, [action.branchId]: action.error } };
    case "retried":
      return { ...state, failures: {} };
  }
}

/** What was changed during the reply becomes the branch's; what lies on tokens that are gone goes with them. */
function settle(
  state: NotesState,
  { key, branchId, writing, nTokens }: Extract<NotesAction, { type: "settled" }>,
): NotesState {
  const changes = state.changes.flatMap((change) => {
    if (change.owner !== key) return [change];
    const isKept = (change.after?.end ?? 0) <= nTokens;
    return branchId !== null && isKept ? [{ ...change, owner: branchId }] : [];
  });
  if (branchId === null || state.known[branchId] !== undefined) return { ...state, changes };
  // Until it is heard what the server gave the new branch: the same, by the same rule.
  return { ...state, changes, known: { ...state.known, [branchId]: inherited(state, writing) } };
}

const inherited = (state: NotesState, { parentId, fromIndex }: Writing): readonly Note[] =>
  parentId === null ? [] : inheritedNotes(notesOfBranch(state, parentId), fromIndex);

function without<T>(record: Readonly<Record<string, T>>, key: NotesOwner): Readonly<Record<string, T>> {
  if (record[key] === undefined) return record;
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== key));
}

const changesOf = (state: NotesState, owner: NotesOwner): UnsavedChange[] =>
  state.changes.filter((change) => change.owner === owner);

/** A branch with what was changed here laid over what the server holds. */
export const notesOfBranch = (state: NotesState, branchId: string): readonly Note[] =>
  changesOf(state, branchId).reduce(withChange, state.known[branchId] ?? []);

/** The notes of a reply that is being written. */
export const notesWhileWriting = (state: NotesState, key: ChatKey, writing: Writing): readonly Note[] =>
  changesOf(state, key).reduce(withChange, inherited(state, writing));

/** Branches with changes that can be saved now. */
export const unsavedBranches = (state: NotesState): string[] => [
  ...new Set(
    state.changes.flatMap(({ owner }) =>
      typeof owner === "number" || state.failures[owner] !== undefined ? [] : [owner],
    ),
  ),
];

/** The list to save: the changes laid over what the server holds now, and which changes are in it. */
export function listToSave(
  state: NotesState,
  branchId: string,
  held: readonly Note[],
): { readonly notes: readonly Note[]; readonly serials: readonly number[] } {
  const changes = changesOf(state, branchId);
  return { notes: changes.reduce(withChange, held), serials: changes.map(({ serial }) => serial) };
}
