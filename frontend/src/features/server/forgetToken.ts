import { keepToken } from "@/base/token";

/** Leaves the server as its next user finds it: nothing of this one's stays in the page. */
export function forgetToken(): void {
  keepToken("");
  window.sessionStorage.clear();
  window.location.assign("/");
}
