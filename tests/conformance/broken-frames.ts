import {
  CLOSE,
  clientFrame,
  FIRST_FRAGMENT,
  LAST_FRAGMENT,
  NEXT_FRAGMENT,
  PING,
  TEXT,
} from '@groupcast/testkit/in-process';

/** Rows W8, W9 and W11: bytes on an open WebSocket, and the close code of the answer. */
export const BROKEN_FRAMES: readonly (readonly [name: string, bytes: Buffer, code: number])[] = [
  ['an unmasked frame', hex('810548656c6c6f'), 1002],
  ['RSV1 without an extension', clientFrame(TEXT | 0x40, 'x'), 1002],
  ['RSV2', clientFrame(TEXT | 0x20, 'x'), 1002],
  ['RSV3', clientFrame(TEXT | 0x10, 'x'), 1002],
  ['a reserved opcode', clientFrame(0x83, 'x'), 1002],
  ['a reserved control opcode', clientFrame(0x8b, 'x'), 1002],
  ['a continuation of nothing', clientFrame(LAST_FRAGMENT, 'x'), 1002],
  [
    'a message within a message',
    Buffer.concat([clientFrame(FIRST_FRAGMENT, 'x'), clientFrame(TEXT, 'x')]),
    1002,
  ],
  ['a ping in fragments', clientFrame(0x09, 'x'), 1002],
  ['a ping of 126 bytes', clientFrame(PING, 'x'.repeat(126)), 1002],
  ['a close frame of one byte', clientFrame(CLOSE, 'x'), 1002],
  ['a close code that is not allowed', clientFrame(CLOSE, hex('03ed')), 1002],
  ['a close reason that is not UTF-8', clientFrame(CLOSE, hex('03e8ff')), 1007],
  ['text that is not UTF-8', clientFrame(TEXT, hex('7bff7d')), 1007],
  ['half a surrogate pair', clientFrame(TEXT, hex('eda080')), 1007],
  ['a message above the limit', clientFrame(TEXT, 'x'.repeat(65_537)), 1009],
  ['a length of 2^63, and nothing behind it', hex('81ff800000000000000000000000'), 1009],
  ['a length of 2^53, and nothing behind it', hex('81ff002000000000000000000000'), 1009],
  [
    'fragments that sum up above the limit',
    Buffer.concat([
      clientFrame(FIRST_FRAGMENT, 'x'.repeat(60_000)),
      clientFrame(NEXT_FRAGMENT, 'x'.repeat(5_537)),
    ]),
    1009,
  ],
  ['100,000 empty fragments', fragments(''), 1008],
  ['100,000 fragments of one byte', fragments('x'), 1008],
];

function fragments(payload: string): Buffer {
  const next = clientFrame(NEXT_FRAGMENT, payload);
  return Buffer.concat([
    clientFrame(FIRST_FRAGMENT, payload),
    ...Array.from({ length: 100_000 }, () => next),
  ]);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}
