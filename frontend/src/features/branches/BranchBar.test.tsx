import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { useState } from "react";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { branch, savedConversation, summary } from "@/test/saved";
import { server } from "@/test/server";
import BranchBar, { type BranchBarState } from "./BranchBar";

const FACTS = savedConversation({
  branches: [
    branch("a"),
    branch("b", { parent_id: "a", from_index: 7, name: "Paris" }),
    branch("c", { parent_id: "b", from_index: 9, preview: "" }),
  ],
});
const asked: string[] = [];
const onSwitch = vi.fn();

beforeAll(() => {
  server.listen({ onUnhandledRequest: "error" });
});
afterEach(() => {
  server.resetHandlers();
  vi.clearAllMocks();
  asked.length = 0;
});
afterAll(() => server.close());

function show(facts = FACTS, isBusy = false) {
  server.use(
    http.patch("*/api/conversations/:id", async ({ request, params }) => {
      asked.push(`name ${String(params["id"])} ${JSON.stringify(await request.json())}`);
      return HttpResponse.json(summary("a"));
    }),
    http.delete("*/api/branches/:id", ({ params }) => {
      asked.push(`delete ${String(params["id"])}`);
      return HttpResponse.json({ id: params["id"], restorable_until_ms: 1 });
    }),
    http.post("*/api/branches/:id/restore", ({ params }) => {
      asked.push(`restore ${String(params["id"])}`);
      return HttpResponse.json(summary("a"));
    }),
  );
  const user = userEvent.setup();
  function Bar({ shown }: { readonly shown: typeof facts }) {
    const [state, setState] = useState<BranchBarState>({ isOpen: false, deleted: null });
    const onChange = (change: Partial<BranchBarState>) => setState((before) => ({ ...before, ...change }));
    return (
      <BranchBar
        facts={shown}
        currentId="b"
        isBusy={isBusy}
        state={state}
        onSwitch={onSwitch}
        onChange={onChange}
      />
    );
  }
  const bar = (shown: typeof facts) => (
    <QueryClientProvider client={queries}>
      <Bar shown={shown} />
    </QueryClientProvider>
  );
  const queries = new QueryClient();
  const { rerender } = render(bar(facts));
  return { user, update: (shown: typeof facts) => rerender(bar(shown)) };
}

const openMenu = async (user: ReturnType<typeof userEvent.setup>, number: number, item: string) => {
  await user.click(screen.getByRole("button", { name: `More for branch ${number}` }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
};

test("one branch needs no bar", () => {
  show(savedConversation());
  expect(screen.queryByRole("region", { name: "Branches" })).not.toBeInTheDocument();
});

test("says which branch is shown, and leads to the ones beside it", async () => {
  const { user } = show();
  expect(screen.getByRole("button", { name: "Branch 2 of 3 · Paris" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Previous branch" }));
  await user.click(screen.getByRole("button", { name: "Next branch" }));
  expect(onSwitch.mock.calls).toEqual([["a"], ["c"]]);
});

test("the list tells where each branch leaves, and switches to it", async () => {
  const { user } = show();
  await user.click(screen.getByRole("button", { name: /^Branch 2 of 3/ }));
  const rows = screen.getAllByRole("listitem");
  expect(rows.map((row) => row.textContent)).toEqual([
    "1preview of astart",
    "2Parisfrom 7",
    "3(no text)from 9",
  ]);
  expect(within(rows[1] ?? document.body).getByRole("button", { name: /Paris/ })).toHaveAttribute(
    "aria-current",
  );
  await user.click(screen.getByRole("button", { name: /preview of a/ }));
  expect(onSwitch).toHaveBeenCalledWith("a");
});

test("a branch is named, and an empty name takes it away", async () => {
  const { user } = show();
  await user.click(screen.getByRole("button", { name: /^Branch 2 of 3/ }));
  await openMenu(user, 1, "Name");
  await user.type(screen.getByRole("textbox", { name: "Name of branch 1" }), "First{Enter}");
  await openMenu(user, 2, "Name");
  await user.clear(screen.getByRole("textbox", { name: "Name of branch 2" }));
  await user.keyboard("{Enter}");
  await waitFor(() => expect(asked).toEqual(['name a {"branch_name":"First"}', 'name b {"branch_name":""}']));
});

test("deleting the shown branch shows its parent, and Undo shows it again", async () => {
  const { user, update } = show();
  await user.click(screen.getByRole("button", { name: /^Branch 2 of 3/ }));
  await openMenu(user, 2, "Delete");
  expect(await screen.findByRole("status")).toHaveTextContent("Deleted the branch “Paris”");
  expect(onSwitch).toHaveBeenCalledWith("a");
  update(savedConversation()); // the way back stays when one branch is left
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(onSwitch).toHaveBeenLastCalledWith("b"));
  expect(asked).toEqual(["delete b", "restore b"]);
});

test("what fails is told", async () => {
  const { user } = show();
  const error = { code: "conflict", message: "The only branch.", hint: null, param: null, request_id: "r" };
  server.use(http.delete("*/api/branches/:id", () => HttpResponse.json({ error }, { status: 409 })));
  await user.click(screen.getByRole("button", { name: /^Branch 2 of 3/ }));
  await openMenu(user, 3, "Delete");
  expect(await screen.findByRole("alert")).toHaveTextContent("Could not delete the branch. The only branch.");
  expect(onSwitch).not.toHaveBeenCalled();
});

test("while a reply is generated the other branches can be read, and none is deleted", async () => {
  const { user } = show(FACTS, true);
  await user.click(screen.getByRole("button", { name: /^Branch 2 of 3/ }));
  await user.click(screen.getByRole("button", { name: "More for branch 1" }));
  expect(await screen.findByRole("menuitem", { name: "Name" })).toBeInTheDocument();
  expect(screen.queryByRole("menuitem", { name: "Delete" })).not.toBeInTheDocument();
  await user.keyboard("{Escape}");
  await user.click(screen.getByRole("button", { name: "Previous branch" }));
  expect(onSwitch).toHaveBeenCalledWith("a");
});
