import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordProtocol } from '../fixtures/recording-wire.ts';
import { blankPayload } from '../payload.ts';
import { groupcast } from './groupcast.ts';
import { nats } from './nats.ts';
import type { PublishFrame } from './protocol.ts';
import { socketIo } from './socket-io.ts';

const PAYLOAD = blankPayload(3, 40);

function text(frame: Uint8Array | undefined, from: number): string {
  return Buffer.from(frame ?? []).toString('latin1', from);
}

function payloadIn({ frame, payloadStart }: PublishFrame): string {
  return frame.toString('latin1', payloadStart, payloadStart + PAYLOAD.length);
}

describe('groupcast', () => {
  test('sends the commands of the plain protocol', () => {
    expect(groupcast.hello(undefined)).toBeUndefined();
    expect(text(groupcast.hello('a.b.c'), 6)).toBe('{"cmd":"auth","token":"a.b.c","id":0}');
    expect(text(groupcast.join('g-3'), 6)).toBe('{"cmd":"add_group","group_id":"g-3","id":1}');
    const publish = groupcast.publish('g-3', PAYLOAD);
    expect(text(publish.frame, 6)).toBe(`{"cmd":"send_to_group","group_id":"g-3","message":"${PAYLOAD}"}`);
    expect(payloadIn(publish)).toBe(PAYLOAD);
  });

  test('distinguishes deliveries, acks and errors', () => {
    const error = '{"type":"error","code":"rate_limited","message":"Too fast."}';
    expect(recordProtocol(groupcast, ['{"type":"ack","id":1}', PAYLOAD, error]).log).toEqual([
      'confirmed',
      `delivered ${PAYLOAD}`,
      `refused ${error}`,
    ]);
  });

  test('repeats at most 200 bytes of an error', () => {
    expect(recordProtocol(groupcast, ['!'.repeat(1_000)]).log).toEqual([`refused ${'!'.repeat(200)}`]);
  });

  test('reads an empty message as a delivery, with any older bytes in the buffer', () => {
    expect(recordProtocol(groupcast, ['']).log).toEqual(['delivered ']);
  });
});

describe('socket.io', () => {
  test('joins with an acknowledgement and publishes an event', () => {
    expect(text(socketIo.join('g-3'), 6)).toBe('420["join","g-3"]');
    const publish = socketIo.publish('g-3', PAYLOAD);
    expect(text(publish.frame, 6)).toBe(`42["publish","g-3","${PAYLOAD}"]`);
    expect(payloadIn(publish)).toBe(PAYLOAD);
  });

  test('connects when greeted, answers pings, and finds the payload of a message', () => {
    const { log } = recordProtocol(socketIo, [
      '0{"sid":"a","upgrades":[],"pingInterval":25000}',
      '40{"sid":"b"}',
      '430[]',
      '2',
      `42["message","${PAYLOAD}"]`,
      '44{"message":"no"}',
      '41',
    ]);
    expect(log).toEqual([
      'write \x81\x82\0\0\0\x0040',
      'confirmed',
      'confirmed',
      'write \x81\x81\0\0\0\x003',
      `delivered ${PAYLOAD}`,
      'refused 44{"message":"no"}',
      'refused 41',
    ]);
  });
});

describe('nats', () => {
  const stream = Buffer.from(
    'INFO {"server_id":"N","max_payload":1048576}\r\n' +
      'PONG\r\n' +
      `MSG g-3 1 40\r\n${PAYLOAD}\r\n` +
      'PING\r\n' +
      `MSG g-3 1 40\r\n${PAYLOAD}\r\n` +
      '+OK\r\n' +
      "-ERR 'Slow Consumer'\r\n" +
      'MSG g-3 1 5\r\n12\r\n3\r\n',
  );
  const expected = [
    'confirmed',
    `delivered ${PAYLOAD}`,
    'write \x82\x86\0\0\0\0PONG\r\n',
    `delivered ${PAYLOAD}`,
    "refused -ERR 'Slow Consumer'\r",
    'delivered 12\r\n3',
  ];

  test('sends the hello, subscribes and publishes', () => {
    expect(text(nats.hello(undefined), 6)).toMatch(/CONNECT \{"verbose":false.*\}\r\nPING\r\n$/);
    expect(text(nats.join('g-3'), 6)).toBe('SUB g-3 1\r\nPING\r\n');
    const publish = nats.publish('g-3', PAYLOAD);
    expect(text(publish.frame, 6)).toBe(`PUB g-3 40\r\n${PAYLOAD}\r\n`);
    expect(payloadIn(publish)).toBe(PAYLOAD);
  });

  test('reads the stream in one frame, and byte by byte', () => {
    expect(recordProtocol(nats, [stream]).log).toEqual(expected);
    expect(
      recordProtocol(
        nats,
        Array.from(stream, (byte) => Uint8Array.of(byte)),
      ).log,
    ).toEqual(expected);
  });

  test('reads the stream however it is split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 10 }), (places) => {
        const ends = [...places, stream.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => stream.subarray(ends[index - 1] ?? 0, end));
        expect(recordProtocol(nats, chunks).log).toEqual(expected);
      }),
    );
  });

  test.each([
    ['MSG g 1 99999999999\r\n', /^broken .* 99999999999 bytes/],
    ['MSG g 1 -5\r\n', /^broken /],
    ['M\r\n', /^broken /],
    ['x'.repeat(1024 * 1024 + 1), /^broken the server sent a line without an end/],
  ])('what cannot be read breaks the connection: %#', (bytes, reason) => {
    const { log } = recordProtocol(nats, [bytes]);
    expect(log).toEqual([expect.stringMatching(reason)]);
  });
});
