import { native, php } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { type HubWire, NATIVE, NATS, PHP, REDIS } from './hub-wire.ts';
import { MessageCounter } from './message-counter.ts';

const PAYLOAD = Buffer.from('0123456789');

const deliver = native.encodeDeliver({
  channel: 'ch-0001',
  payload: PAYLOAD,
  kind: 'text',
  excludeSender: false,
  sender: '',
  messageId: '',
  number: 1,
});

const STREAMS: readonly [HubWire, Buffer, number][] = [
  [NATIVE, Buffer.concat([Buffer.from([0, 0, 0, 5, 4]), deliver, deliver, deliver]), 1],
  [PHP, Buffer.concat(Array(3).fill(php.eventFrame('ch-0001', php.encodePhp(PAYLOAD)))), 0],
  [
    REDIS,
    Buffer.from(
      '*3\r\n$9\r\nsubscribe\r\n$7\r\nch-0001\r\n:1\r\n' +
        '*3\r\n$7\r\nmessage\r\n$7\r\nch-0001\r\n$10\r\n0123456789\r\n'.repeat(3),
    ),
    1,
  ],
  [
    NATS,
    Buffer.from(
      `INFO {"a":1}\r\nMSG ch-0001 1001 10\r\n0123456789\r\nPING\r\n${'MSG ch-0001 1001 10\r\n0123456789\r\n'.repeat(2)}`,
    ),
    2,
  ],
];

describe.each(STREAMS)('$name', (wire, stream, others) => {
  test.each([1, 2, 3, 7, 1_000])('in pieces of %i bytes', (pieceBytes) => {
    const said: string[] = [];
    const payloads: string[] = [];
    const counter = new MessageCounter(
      wire,
      (text) => said.push(text),
      (bytes, end) => payloads.push(bytes.toString('latin1', end - PAYLOAD.length, end)),
    );
    for (let at = 0; at < stream.length; at += pieceBytes) {
      const piece = Buffer.from(stream.subarray(at, at + pieceBytes));
      counter.push(piece, piece.length);
    }
    expect(counter.count).toBe(3);
    expect(payloads).toEqual(['0123456789', '0123456789', '0123456789']);
    expect(said).toHaveLength(others);
  });
});
