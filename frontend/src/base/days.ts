/** Things with a date, grouped by day for a list. */

export interface DayGroup<T> {
  readonly label: string;
  readonly items: readonly T[];
}

/** Groups what is already in order, newest first. Days are those of the reader's clock. */
export function byDay<T>(items: readonly T[], dateOf: (item: T) => Date, now: Date): DayGroup<T>[] {
  const groups: { label: string; items: T[] }[] = [];
  for (const item of items) {
    const label = dayLabel(dateOf(item), now);
    const last = groups.at(-1);
    if (last?.label === label) last.items.push(item);
    else groups.push({ label, items: [item] });
  }
  return groups;
}

export function dayLabel(date: Date, now: Date): string {
  const days = dayNumber(now) - dayNumber(date);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return date.toLocaleDateString("en-GB", { weekday: "long" });
  return date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }),
  });
}

const WHEN = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** `25 Nov 2026, 00:10`, in the words and the order of the rest of the page. */
export const dateAndTime = (date: Date): string => WHEN.format(date);

/** Counts calendar days, also across a change of the clock. */
const dayNumber = (date: Date): number =>
  Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
