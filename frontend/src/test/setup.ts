/** What jsdom lacks and the page touches on start. Drawing itself is tested in a real browser. */
import "./renders";
// Before the client, which keeps the class that it finds.
import { forgetRequests } from "./keptRequests";
import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
// Fetched at the first click, which no test is about: loaded here, they open at once.
import "@/features/composer/SamplingForm";
import "@/features/evidence/AlternativesList";
import "@/features/library/SidebarSheet";
import "@/features/shortcuts/ShortcutSheet";
import "@/ui/OpenMenu";
import "@/ui/OpenPopover";
import "@/ui/OpenSelect";
import { forgetChoices } from "@/features/choices/choices";

afterEach(() => {
  cleanup();
  forgetRequests();
  window.localStorage.clear();
  forgetChoices();
});

// One second, the default, is too short on a machine that is busy with something else.
configure({ asyncUtilTimeout: 15_000 });

HTMLCanvasElement.prototype.getContext = () => null;
Element.prototype.scrollIntoView = () => undefined;
Element.prototype.hasPointerCapture = () => false;
Element.prototype.setPointerCapture = () => undefined;
Element.prototype.scrollTo = () => undefined;

globalThis.ResizeObserver = class {
  observe(): void {
    /* jsdom lays nothing out, so there is no size to report */
  }
  unobserve(): void {
    /* see observe */
  }
  disconnect(): void {
    /* see observe */
  }
};

Object.defineProperty(window, "matchMedia", {
  value: (query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    dispatchEvent: () => false,
  }),
});
