/**
 * Which components render, by name, as React's developer tools find it out. `setup.ts` loads this before
 * React DOM, which looks for the hook once, when it is loaded.
 */
export interface RenderedComponent {
  readonly name: string;
  readonly props: unknown;
}

interface Fiber {
  readonly type: unknown;
  readonly flags: number;
  readonly memoizedProps: unknown;
  readonly child: Fiber | null;
  readonly sibling: Fiber | null;
  readonly alternate: Fiber | null;
}

/** React's mark on a component that was called in this commit. */
const PERFORMED_WORK = 1;

let watching: RenderedComponent[] | null = null;

/** Gives what has rendered since the last call, mounted or again. */
export function watchRenders(): () => readonly RenderedComponent[] {
  watching = [];
  return () => {
    const since = watching ?? [];
    watching = [];
    return since;
  };
}

function visit(fiber: Fiber, into: RenderedComponent[]): void {
  const name = typeof fiber.type === "function" ? fiber.type.name : "";
  if (name !== "" && (fiber.flags & PERFORMED_WORK) !== 0) into.push({ name, props: fiber.memoizedProps });
  // React keeps the children of a part in which nothing rendered.
  if (fiber.alternate?.child === fiber.child) return;
  for (let child = fiber.child; child !== null; child = child.sibling) visit(child, into);
}

Object.assign(globalThis, {
  __REACT_DEVTOOLS_GLOBAL_HOOK__: {
    supportsFiber: true,
    inject: () => 1,
    onCommitFiberUnmount: () => undefined,
    onCommitFiberRoot: (_: number, { current }: { readonly current: Fiber }) => {
      if (watching !== null) visit(current, watching);
    },
  },
});
