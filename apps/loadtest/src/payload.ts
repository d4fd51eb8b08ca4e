// Layout of a message: sequence number, group and send time in decimal digits of fixed width, then
// filler. Digits and spaces need no escaping in any protocol, and parsing them allocates nothing.

const SEQUENCE_DIGITS = 9;
const GROUP_DIGITS = 6;
const TIME_DIGITS = 14;

const GROUP_OFFSET = SEQUENCE_DIGITS + 1;
const TIME_OFFSET = GROUP_OFFSET + GROUP_DIGITS + 1;

/** Bytes of the smallest payload: the three numbers, each with a space. */
export const PAYLOAD_BYTES_MIN = TIME_OFFSET + TIME_DIGITS + 1;

/** Group numbers are below this. */
export const GROUPS_MAX = 10 ** GROUP_DIGITS;

const ZERO = 0x30;
const NINE = 0x39;

/** Returns a payload of `bytes` bytes for a group, with sequence number and time zero. */
export function blankPayload(group: number, bytes: number): string {
  const head = `${'0'.repeat(SEQUENCE_DIGITS)} ${String(group).padStart(GROUP_DIGITS, '0')} ${'0'.repeat(TIME_DIGITS)} `;
  return head.padEnd(bytes, 'x');
}

/** Writes sequence number and send time into a payload at `start`. */
export function stampPayload(frame: Uint8Array, start: number, sequence: number, sentUs: number): void {
  writeDigits(frame, start, SEQUENCE_DIGITS, sequence);
  writeDigits(frame, start + TIME_OFFSET, TIME_DIGITS, Math.max(0, Math.floor(sentUs)));
}

/** Returns the sequence number of the payload at `start`, or -1 if it is invalid. */
export function readSequence(bytes: Uint8Array, start: number): number {
  return readDigits(bytes, start, SEQUENCE_DIGITS);
}

/** Returns the group's number, or -1 if it is invalid. */
export function readGroup(bytes: Uint8Array, start: number): number {
  return readDigits(bytes, start + GROUP_OFFSET, GROUP_DIGITS);
}

/** Returns the send time in microseconds of the run's clock, or -1 if it is invalid. */
export function readSentUs(bytes: Uint8Array, start: number): number {
  return readDigits(bytes, start + TIME_OFFSET, TIME_DIGITS);
}

/**
 * Whether a message with this first byte can be a payload. No message of a protocol begins with a
 * digit.
 */
export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function writeDigits(frame: Uint8Array, start: number, count: number, value: number): void {
  let rest = value;
  for (let at = start + count - 1; at >= start; at--) {
    const next = Math.floor(rest / 10);
    frame[at] = ZERO + (rest - next * 10);
    rest = next;
  }
}

function readDigits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
