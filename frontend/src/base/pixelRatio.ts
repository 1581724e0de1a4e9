/** Calls when pixels become larger or smaller, as on another screen: no element changes its size by that. */
export function onPixelRatioChange(call: () => void): () => void {
  let query: MediaQueryList;
  const listen = (): void => {
    query = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    query.addEventListener("change", onChange, { once: true });
  };
  const onChange = (): void => {
    call();
    listen();
  };
  listen();
  return () => query.removeEventListener("change", onChange);
}
