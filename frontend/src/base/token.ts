/** The token that the server asks for, kept in the browser once a person has typed it. */
import { readStored, writeStored } from "./stored";

const STORED_AS = "token";

let token = readStored(STORED_AS, (value) => (typeof value === "string" ? value : undefined), "");

/** Headers that show the token; none where no server has asked for one. */
export const tokenHeaders = (): Record<string, string> =>
  token === "" ? {} : { Authorization: `Bearer ${token}` };

export const hasToken = (): boolean => token !== "";

/** An empty one forgets it. */
export function keepToken(next: string): void {
  token = next;
  // With its quotes, so that one of digits is not read back as a number.
  writeStored(STORED_AS, JSON.stringify(next));
}
