/** Bytes in the units that file managers use: 1 KB is 1000 bytes. */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${units[unit] ?? "TB"}`;
};

/**
 * Making a formatter takes far longer than formatting, and `toLocaleTimeString` makes one for every call: with it, a list's
 * times and the sync indicator took a third of what a key press takes.
 */
const formatters = new Map<string, Intl.DateTimeFormat>();
const formatterOf = (locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => {
  const key = `${locale ?? ""} ${JSON.stringify(options)}`;
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formatters.set(key, made);
  return made;
};

const hourMinute = { hour: "numeric", minute: "2-digit" } as const;
const hoursMinutes = { hour: "2-digit", minute: "2-digit" } as const;
const hoursMinutesSeconds = { ...hoursMinutes, second: "2-digit" } as const;
const dayMonth = { day: "numeric", month: "short" } as const;
const dayMonthYear = { ...dayMonth, year: "numeric" } as const;

/** "14:05:09". */
export const formatClock = (at: number, locale?: string): string => formatterOf(locale, hoursMinutesSeconds).format(at);

const dayMs = 24 * 60 * 60 * 1000;

/** How a list says when something was changed: the time today, the weekday this week, else the date. */
export const formatWhen = (at: number, now: number, locale?: string): string => {
  const date = new Date(at);
  const today = new Date(now);
  const startOfToday = new Date(today.getFullYear(), today.getMonth(), today.getDate()).getTime();
  if (now - at < 60_000 && now - at > -60_000) return "now";
  if (at >= startOfToday && at < startOfToday + dayMs) {
    return formatterOf(locale, hourMinute).format(date);
  }
  if (at >= startOfToday - dayMs && at < startOfToday) return "yesterday";
  if (at >= startOfToday - 6 * dayMs && at < startOfToday) return formatterOf(locale, { weekday: "long" }).format(date);
  const sameYear = date.getFullYear() === today.getFullYear();
  return formatterOf(locale, sameYear ? dayMonth : dayMonthYear).format(date);
};

/** "since 14:05", or with the day if it was another one. */
export const formatSince = (at: number, now: number, locale?: string): string => {
  const date = new Date(at);
  const time = formatterOf(locale, hoursMinutes).format(date);
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${formatterOf(locale, dayMonth).format(date)}, ${time}`;
};

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
