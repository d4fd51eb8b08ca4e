const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats a time in seconds with its two largest units: `42s`, `5m 10s`, `3d 4h`. */
export function formatUptime(seconds: number): string {
  const [days, hours] = [Math.floor(seconds / DAY), Math.floor((seconds % DAY) / HOUR)];
  if (days > 0) return `${days}d ${hours}h`;
  const minutes = Math.floor((seconds % HOUR) / MINUTE);
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % MINUTE}s` : `${seconds}s`;
}
