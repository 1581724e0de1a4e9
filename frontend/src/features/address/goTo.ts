import { type Address, formatAddress } from "./address";
import { settleAddress } from "./useAddress";

/** Goes to an address as a link does, without loading the page again. */
export function goTo(address: Address): void {
  settleAddress();
  window.history.pushState(null, "", `${window.location.pathname}${formatAddress(address)}`);
  window.dispatchEvent(new PopStateEvent("popstate"));
}
