import { encodeText, native } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { payloadFault } from './payload-fault.ts';

function fault(kind: native.PayloadKind, payload: Uint8Array): string | undefined {
  return payloadFault({
    ...native.PUBLICATION_DEFAULTS,
    channel: 'group:g',
    kind,
    excludeSender: false,
    sender: '',
    messageId: '',
    payload,
    number: 1,
  });
}

test.each(['text', 'bytes', 'json'] as const)('a payload of kind %s must be UTF-8', (kind) => {
  expect(fault(kind, Uint8Array.of(0x22, 0xff, 0x22))).toBe('not_utf8');
  expect(fault(kind, Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe('not_utf8');
  expect(fault(kind, encodeText('"€ 🎉"'))).toBeUndefined();
});

test('a payload of kind json must be JSON', () => {
  for (const text of ['{', '', 'undefined', '1,"type":"ack"', '{}}', '\ufeff{}']) {
    expect(fault('json', encodeText(text))).toBe('not_json');
    expect(fault('text', encodeText(text))).toBeUndefined();
  }
  for (const text of ['{"a":[]}', ' 1 ', 'null', '"text"'])
    expect(fault('json', encodeText(text))).toBeUndefined();
});

test('a payload that is a slice of a larger buffer is checked alone', () => {
  const buffer = encodeText('xx{"a":1}xx');
  expect(fault('json', buffer.subarray(2, 9))).toBeUndefined();
  expect(fault('json', buffer.subarray(1, 9))).toBe('not_json');
});
