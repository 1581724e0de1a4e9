/**
 * Keeps the requests of a test in memory until it ends. Node lets go of a request's signal with the request,
 * also while something listens to it: what was hung up on after memory was collected would never end, and what
 * waits for it on the page, in this test file or the next, would wait with it. Browsers keep them by themselves.
 */
const kept = new Set<Request>();

globalThis.Request = class extends Request {
  constructor(...given: ConstructorParameters<typeof Request>) {
    super(...given);
    kept.add(this);
  }
};

export const forgetRequests = (): void => kept.clear();
