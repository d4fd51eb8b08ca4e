import { describe, expect, test } from 'vitest';
import { CLOSE_CODES, type CloseCodeRow, ERROR_CODES, isErrorCode } from './codes.ts';
import {
  CHANNEL_NAME_BYTES_MAX,
  CLOSE_REASON_BYTES_MAX,
  ERROR_MESSAGE_BYTES_MAX,
  GROUP_NAME_BYTES_MAX,
  SHORT_TEXT_BYTES_MAX,
} from './limits.ts';
import { encodeText } from './text.ts';

const closeRows: [string, CloseCodeRow][] = Object.entries(CLOSE_CODES);

describe('close codes', () => {
  test.each(closeRows)('%s', (_, row) => {
    expect(encodeText(row.reason).length).toBeLessThanOrEqual(CLOSE_REASON_BYTES_MAX);
    expect(row.reason).toMatch(/^[A-Z][^\n]*\.$/);
    // RFC 6455, section 7.4: codes that an endpoint may send. 1004 to 1006 and 1015 are never sent,
    // and 1010 is the client's.
    const standard = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014];
    expect(standard.includes(row.code) || (row.code >= 4000 && row.code <= 4999)).toBe(true);
    // Clients of other authors see only the number.
    if (row.code >= 4000) expect(row.reconnect).toBe(row.code < 4500);
  });

  test('no number is given twice', () => {
    expect(new Set(closeRows.map(([, { code }]) => code)).size).toBe(closeRows.length);
  });
});

describe('error codes', () => {
  test.each(Object.entries(ERROR_CODES))('%s', (name, { sentence }) => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(name.length).toBeLessThanOrEqual(SHORT_TEXT_BYTES_MAX);
    expect(encodeText(sentence).length).toBeLessThanOrEqual(ERROR_MESSAGE_BYTES_MAX);
    expect(sentence).toMatch(/^[A-Za-z][^\n]*\.$/);
    expect(isErrorCode(name)).toBe(true);
  });

  test('sentences that name a limit name the right one', () => {
    expect(ERROR_CODES.invalid_group.sentence).toContain(` ${GROUP_NAME_BYTES_MAX} bytes`);
    expect(ERROR_CODES.bad_channel.sentence).toContain(` ${CHANNEL_NAME_BYTES_MAX} bytes`);
  });

  test.each(['', 'later', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '"%s" is unknown',
    (code) => {
      expect(isErrorCode(code)).toBe(false);
    },
  );
});
