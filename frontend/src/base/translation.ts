/**
 * The page asks not to be translated (`index.html`). A translator that does it all the same replaces text
 * nodes by `<font>` elements, while React goes on writing into the nodes that it made: the numbers of the
 * token selected before would stay on the screen, and removing one of the nodes would throw.
 */

/** Texts of React that a translator took out of the page, and the element that stands in for them. */
interface StandIn {
  readonly element: Element;
  readonly texts: Text[];
}

/** Brings a text back as soon as React changes it, and lets React remove and insert beside what replaced it. */
export function surviveTranslation(root: Node): () => void {
  const standIns = new WeakMap<Node, StandIn>();
  const byElement = new WeakMap<Element, StandIn>();
  const followed = new WeakSet<Node>();
  const removedByReact = new WeakSet<Node>();

  const observer = new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "characterData") bringBack(record.target);
      else for (const node of record.removedNodes) if (node instanceof Text) replaced(node, record);
    }
  });

  const replaced = (text: Text, record: MutationRecord): void => {
    if (text.parentNode === record.target || removedByReact.has(text)) return;
    const element = [...record.addedNodes, record.previousSibling, record.nextSibling].find(
      (node): node is HTMLElement => node instanceof HTMLElement && node.tagName === "FONT",
    );
    if (element === undefined) return;
    const standIn = byElement.get(element) ?? { element, texts: [] };
    standIn.texts.push(text);
    byElement.set(element, standIn);
    standIns.set(text, standIn);
    observer.observe(text, { characterData: true });
    follow(record.target);
  };

  const bringBack = (node: Node): void => {
    const standIn = standIns.get(node);
    if (standIn?.element.isConnected !== true) return;
    standIn.element.replaceWith(...standIn.texts);
    for (const text of standIn.texts) standIns.delete(text);
  };

  /** React removes a child or inserts before one: where it was replaced, it is brought back for that. */
  const follow = (parent: Node): void => {
    if (followed.has(parent)) return;
    followed.add(parent);
    parent.removeChild = <T extends Node>(child: T): T => {
      removedByReact.add(child);
      if (child.parentNode !== parent) bringBack(child);
      return child.parentNode === parent ? (Node.prototype.removeChild.call(parent, child) as T) : child;
    };
    parent.insertBefore = <T extends Node>(node: T, before: Node | null): T => {
      removedByReact.delete(node);
      if (before !== null && before.parentNode !== parent) bringBack(before);
      return Node.prototype.insertBefore.call(parent, node, before) as T;
    };
  };

  observer.observe(root, { childList: true, subtree: true });
  return () => observer.disconnect();
}
