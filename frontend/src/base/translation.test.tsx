import { render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { surviveTranslation } from "./translation";

let stop: () => void;
beforeEach(() => {
  stop = surviveTranslation(document.body);
});
afterEach(() => stop());

/** Mutation observers run after the task that changed the page. */
const nextTask = () => new Promise((resolve) => setTimeout(resolve, 0));

const texts = (): Text[] => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode()) if (walker.currentNode instanceof Text) found.push(walker.currentNode);
  return found;
};

const wrapped = (...content: (Node | string)[]): Element => {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- translators insert it
  const [outer, inner] = [document.createElement("font"), document.createElement("font")];
  inner.append(...content);
  outer.append(inner);
  return outer;
};

/** The ways in which translators put their words in place of a page's. */
const TRANSLATORS: Readonly<Record<string, () => void>> = {
  "puts copies in its place": () => {
    for (const text of texts()) text.replaceWith(wrapped(text.data.toUpperCase()));
  },
  "wraps the texts themselves": () => {
    for (const text of texts()) {
      const font = wrapped();
      text.replaceWith(font);
      font.firstElementChild?.append(text);
    }
  },
  "inserts first and removes then": () => {
    for (const text of texts()) {
      text.parentNode?.insertBefore(wrapped(text.data.toUpperCase()), text);
      text.remove();
    }
  },
  "joins the texts of a line": () => {
    for (const line of document.querySelectorAll("p")) {
      const [first, ...others] = texts().filter((text) => text.parentNode === line);
      if (first === undefined) continue;
      first.replaceWith(wrapped(line.textContent.toUpperCase()));
      for (const other of others) other.remove();
    }
  },
};

function Place({ index, isLast }: { readonly index: number; readonly isLast: boolean }) {
  return (
    <p role="status">
      index {index}
      {isLast ? ", the last" : null} of 9
    </p>
  );
}

describe.each(Object.entries(TRANSLATORS))("on a page of which a translator %s", (_, translate) => {
  test("a number that changes is shown, and a text that goes is gone", async () => {
    const { rerender } = render(<Place index={5} isLast />);
    translate();
    await nextTask();
    rerender(<Place index={3} isLast={false} />);
    await nextTask();
    const line = screen.getByRole("status");
    expect(line.textContent.toLowerCase()).toContain("3");
    expect(line).not.toHaveTextContent(/5|last/i);

    rerender(<Place index={4} isLast />);
    await nextTask();
    expect(line).toHaveTextContent(/4, the last/i);
    translate();
    await nextTask();
    rerender(<Place index={7} isLast={false} />);
    await nextTask();
    expect(line).toHaveTextContent("7");
    expect(line).not.toHaveTextContent(/4|last/i);
  });
});
