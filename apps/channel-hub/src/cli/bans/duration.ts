const FORM = /^(\d{1,9})([smhd]?)$/;

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 };

/** Returns the seconds of a duration: `90`, `90s`, `15m`, `1h`, `7d`; undefined for others. */
export function secondsOf(text: string): number | undefined {
  const [, count, unit = ''] = FORM.exec(text) ?? [];
  const factor = SECONDS[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}
