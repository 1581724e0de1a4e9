/** Whether the tour was taken or declined, remembered in this browser. */
import { readStored, writeStored } from "@/base/stored";

const STORED_AS = "tour";

export const isTourSeen = (): boolean =>
  readStored(STORED_AS, (stored) => (stored === "seen" ? true : undefined), false);

export const rememberTour = (): void => writeStored(STORED_AS, "seen");
