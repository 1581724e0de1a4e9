import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { server } from "@/test/server";
import { TokenSearch } from "./TokenSearch";

const match = (token_id: number, text: string) => ({
  token_id,
  text,
  bytes: btoa(text),
  is_byte_token: false,
  exact: true,
});

beforeAll(() => {
  server.listen({ onUnhandledRequest: "bypass" });
});
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

async function open({ isSingle, taken = [] }: { isSingle: boolean; taken?: number[] }) {
  server.use(
    http.get("*/api/tokens", ({ request }) =>
      HttpResponse.json({
        query: new URL(request.url).searchParams.get("query"),
        matches: [match(1, " Paris"), match(2, "Paris")],
        encoded_ids: [],
        encoded_texts: [],
        encoded_bytes: [],
      }),
    ),
  );
  const onChoose = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TokenSearch
        modelName="small"
        label="Token"
        verb="pins"
        isSingle={isSingle}
        isTaken={(id) => taken.includes(id)}
        takenAs="pinned"
        isFull={false}
        onChoose={onChoose}
      />
    </QueryClientProvider>,
  );
  const search = screen.getByRole("combobox", { name: "Token" });
  await userEvent.type(search, "Par");
  await screen.findAllByRole("option");
  return { search, onChoose };
}

test("where several can be chosen Enter leaves the list open for the next", async () => {
  const { search, onChoose } = await open({ isSingle: false });
  await userEvent.keyboard("{Enter}{ArrowDown}{Enter}");
  expect(onChoose.mock.calls).toEqual([[{ id: 1, text: " Paris" }], [{ id: 2, text: "Paris" }]]);
  expect(search).toHaveAttribute("aria-expanded", "true");
  expect(search).toHaveAttribute("aria-activedescendant", screen.getAllByRole("option")[1]?.id);
});

test("where one is chosen Enter closes the list, and a finger does the same", async () => {
  const { search, onChoose } = await open({ isSingle: true });
  await userEvent.keyboard("{Enter}");
  expect(onChoose).toHaveBeenCalledExactlyOnceWith({ id: 1, text: " Paris" });
  expect(search).toHaveAttribute("aria-expanded", "false");
  expect(search).not.toHaveAttribute("aria-activedescendant");
  await userEvent.type(search, "Par");
  await userEvent.pointer([
    { keys: "[TouchA]", target: (await screen.findAllByRole("option"))[1] as Element },
  ]);
  expect(onChoose).toHaveBeenLastCalledWith({ id: 2, text: "Paris" });
  expect(search).toHaveAttribute("aria-expanded", "false");
});

test("a token that is chosen already is not chosen again, and the list says so", async () => {
  const { onChoose } = await open({ isSingle: false, taken: [1] });
  expect(screen.getByRole("status")).toHaveTextContent("This token is pinned already.");
  await userEvent.keyboard("{Enter}");
  expect(onChoose).not.toHaveBeenCalled();
});

test("Escape closes the list, then clears the text, and the field keeps the focus", async () => {
  const { search } = await open({ isSingle: false });
  await userEvent.keyboard("{Escape}");
  expect(search).toHaveAttribute("aria-expanded", "false");
  expect(search).toHaveValue("Par");
  await userEvent.keyboard("{Escape}");
  expect(search).toHaveValue("");
  expect(search).toHaveFocus();
});
