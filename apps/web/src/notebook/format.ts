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

const dayMs = 24 * 60 * 60 * 1000;

/** How a list says when something was changed: the time today, the weekday this week, else the date. */
export const formatWhen = (at: number, now: number, locale?: string): string => {
  const date = new Date(at);
  const today = new Date(now);
  const startOfToday = new Date(today.getFullYear(), today.getMonth(), today.getDate()).getTime();
  if (now - at < 60_000 && now - at > -60_000) return "now";
  if (at >= startOfToday && at < startOfToday + dayMs) {
    return date.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });
  }
  if (at >= startOfToday - dayMs && at < startOfToday) return "yesterday";
  if (at >= startOfToday - 6 * dayMs && at < startOfToday) return date.toLocaleDateString(locale, { weekday: "long" });
  const sameYear = date.getFullYear() === today.getFullYear();
  return date.toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" as const }),
  });
};

/** "since 14:05", or with the day if it was another one. */
export const formatSince = (at: number, now: number, locale?: string): string => {
  const date = new Date(at);
  const time = date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${date.toLocaleDateString(locale, { day: "numeric", month: "short" })}, ${time}`;
};

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
