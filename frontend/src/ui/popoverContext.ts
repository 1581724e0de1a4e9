import { createContext } from "react";

/** Closes the popover around a component; does nothing outside of one. */
export const PopoverContext = createContext<() => void>(() => undefined);
