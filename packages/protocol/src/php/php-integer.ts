/** A PHP integer: a number while that is exact, a bigint beyond ±(2^53 - 1), up to 64 bits. */
export type PhpInteger = number | bigint;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Digits of the longest integer of 64 bits. */
export const INT64_DIGITS_MAX = 19;

/** Digits up to which an integer is certainly exact as a number. */
const SAFE_DIGITS = 15;

export function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** Returns the only form of an integer here, so that equal ones are equal. */
export function normalInteger(value: bigint): PhpInteger {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Reads decimal digits with an optional sign; returns `undefined` beyond 64 bits. */
export function integerOf(text: string): PhpInteger | undefined {
  // `+ 0`, because `-0` is the integer 0.
  if (text.length <= SAFE_DIGITS) return Number(text) + 0;
  // The sign may be one more; anything longer would only take time.
  if (text.length > INT64_DIGITS_MAX + 1) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return isInt64(value) ? normalInteger(value) : undefined;
}
