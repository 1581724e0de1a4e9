import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { selectedTokenText } from "@/features/selection/tokenSelection";
import { losslessText } from "@/model/bytes";
import type { Role } from "@/model/timeline";
import { TokenPart } from "./TokenPart";

const ROLE: Role = "assistant";

function drawn(bytes: readonly number[], hasNote = true): HTMLElement {
  const text = losslessText(Uint8Array.from(bytes));
  return render(
    <TokenPart
      part={{ index: 3, isFirst: true, runs: [{ text, kinds: ["strong"] }] }}
      text={text}
      mark={null}
      role={ROLE}
      isSpecial={false}
      isSelected={false}
      isInRange={false}
      noteMark={hasNote ? "inside" : undefined}
      tint={null}
    />,
  ).container;
}

test("bytes that are no character are signs beside the text, and their names are spoken", () => {
  const list = drawn([0x61, 0xf0, 0x9f, 0x62]);
  expect(list.querySelector("[data-mark]")).toHaveAttribute("data-mark", "\\xF0\\x9F");
  expect(list).toHaveTextContent("ab");
  expect(list.querySelector("[role=option]")).toHaveAccessibleName("a\\xF0\\x9Fb, has a note");
});

test("a token of such bytes alone has their name", () => {
  const list = drawn([0xa0], false);
  expect(list.querySelector("[role=option]")).toHaveAccessibleName("\\xA0");
});

test("a copied selection holds one replacement character for them", () => {
  const list = drawn([0x61, 0xff]);
  const range = document.createRange();
  range.selectNodeContents(list);
  expect(selectedTokenText(list, range)).toBe("a\ufffd");
});
