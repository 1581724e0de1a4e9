import { describe, expect, test } from "vitest";
import { ApiError } from "@/base/errors";
import type { Note } from "@/model/notes";
import {
  NO_NOTES,
  type NotesAction,
  type NotesOwner,
  type NotesState,
  listToSave,
  notesOfBranch,
  notesReducer,
  notesWhileWriting,
  unsavedBranches,
} from "./notesState";

const note = (start: number, text: string, end = start + 1): Note => ({ start, end, layer: null, text });
const A = note(2, "a");
const B = note(4, "b");
const C = note(6, "c");
const WRITING = { parentId: "one", fromIndex: 5 };
const ERROR = new ApiError({ code: "storage_failed", message: "full" });

const after = (...actions: NotesAction[]): NotesState => actions.reduce(notesReducer, NO_NOTES);
const heard = (notes: Note[], branchId = "one"): NotesAction => ({ type: "heard", branchId, notes });
/** The conversation on the page whose reply goes on. */
const CHAT = 3;
const added = (made: Note, owner: NotesOwner = "one"): NotesAction => ({
  type: "changed",
  owner,
  change: { before: null, after: made },
});

describe("saving", () => {
  test("a change is seen at once, and is in the list to save", () => {
    const state = after(heard([A]), added(B));
    expect(notesOfBranch(state, "one")).toEqual([A, B]);
    expect(unsavedBranches(state)).toEqual(["one"]);
    expect(listToSave(state, "one", [A]).notes).toEqual([A, B]);
  });
  test("is laid over what the server holds by then, so that another page's notes stay", () => {
    expect(listToSave(after(heard([A]), added(B)), "one", [A, C]).notes).toEqual([A, C, B]);
  });
  test("what was changed while a save was under way is still to be saved", () => {
    const before = after(heard([A]), added(B));
    const { notes, serials } = listToSave(before, "one", [A]);
    const meanwhile = notesReducer(before, {
      type: "changed",
      owner: "one",
      change: { before: B, after: C },
    });
    const state = notesReducer(meanwhile, { type: "saved", branchId: "one", notes, serials });
    expect(notesOfBranch(state, "one")).toEqual([A, C]);
    expect(unsavedBranches(state)).toEqual(["one"]);
    expect(listToSave(state, "one", notes).notes).toEqual([A, C]);
  });
  test("an answer that was on its way does not undo what is not saved yet", () => {
    expect(notesOfBranch(after(heard([A]), added(B), heard([A])), "one")).toEqual([A, B]);
  });
  test("a failure keeps everything, and waits for a retry or the next change", () => {
    const failed = after(heard([A]), added(B), { type: "failed", branchId: "one", error: ERROR });
    expect(notesOfBranch(failed, "one")).toEqual([A, B]);
    expect(unsavedBranches(failed)).toEqual([]);
    expect(unsavedBranches(notesReducer(failed, { type: "retried" }))).toEqual(["one"]);
    const again = notesReducer(failed, added(C));
    expect(unsavedBranches(again)).toEqual(["one"]);
    expect(again.failures).toEqual({});
  });
});

describe("while a reply is written", () => {
  const writing = after(heard([A, B, C]), added(note(5, "new"), CHAT));
  test("the notes before the cut are shown, and nothing of the reply is saved", () => {
    expect(notesWhileWriting(writing, CHAT, WRITING)).toEqual([A, B, note(5, "new")]);
    expect(unsavedBranches(writing)).toEqual([]);
  });
  test("its end gives them to the branch that came of it, the parent keeps its own", () => {
    const state = notesReducer(writing, {
      type: "settled",
      key: CHAT,
      branchId: "two",
      writing: WRITING,
      nTokens: Infinity,
    });
    expect(notesOfBranch(state, "two")).toEqual([A, B, note(5, "new")]);
    expect(notesOfBranch(state, "one")).toEqual([A, B, C]);
    expect(unsavedBranches(state)).toEqual(["two"]);
  });
  test("another reply that ends meanwhile takes none of them", () => {
    const state = notesReducer(writing, {
      type: "settled",
      key: CHAT + 1,
      branchId: "other",
      writing: { parentId: null, fromIndex: 0 },
      nTokens: Infinity,
    });
    expect(notesWhileWriting(state, CHAT, WRITING)).toEqual([A, B, note(5, "new")]);
    expect(unsavedBranches(state)).toEqual([]);
  });
  test("when nothing comes of it they go back to the branch before, but for those on tokens that are gone", () => {
    const state = notesReducer(notesReducer(writing, added(note(3, "old"), CHAT)), {
      type: "settled",
      key: CHAT,
      branchId: "one",
      writing: WRITING,
      nTokens: 5,
    });
    expect(notesOfBranch(state, "one")).toEqual([A, B, C, note(3, "old")]);
  });
  test("a first reply of which nothing comes leaves nothing to save", () => {
    const none = { parentId: null, fromIndex: 0 };
    const state = notesReducer(after(added(A, CHAT)), {
      type: "settled",
      key: CHAT,
      branchId: null,
      writing: none,
      nTokens: 0,
    });
    expect(state.changes).toEqual([]);
  });
});
