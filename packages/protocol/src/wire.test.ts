import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { mutated, nativeMessage } from '../testing/arbitraries.ts';
import { encodeNative } from '../testing/encode-native.ts';
import { startFuzzRun } from '../testing/fuzz-run.ts';
import { readGolden, type Vector } from '../testing/golden.ts';
import { concat } from '../testing/splits.ts';
import { FrameDecoder, HEARTBEAT_FRAME } from './frame.ts';
import { decodeNative, type NativeMessage } from './native/message.ts';
import { ProtocolError } from './protocol-error.ts';
import { CommandError, parseClientCommand } from './schema/client-command.ts';
import { parseHubJsonRequest } from './schema/hub-json.ts';
import { encodeText } from './text.ts';

// The duration depends on FUZZ_CASES.
vi.setConfig({ testTimeout: 0 });
const run = startFuzzRun('wire.test.ts');

/**
 * Handles a stream as a hub does: reads frames, and each in its dialect. Throws the errors of the
 * code.
 */
function readStream(chunks: readonly Uint8Array[], decoder: FrameDecoder = new FrameDecoder()) {
  const messages: NativeMessage[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk, (frame) => {
      if (frame.length > HEARTBEAT_FRAME.length) messages.push(decodeNative(frame));
    });
  }
  return messages;
}

/** Returns whether it was accepted. Fails the test for any error but those that peers get. */
function survives(kind: typeof ProtocolError | typeof CommandError, read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    expect(error.message.length).toBeLessThan(1_000);
    return false;
  }
}

/** Cuts the bytes at these places, which are fractions of the length. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function texts(file: string, part: string): string[] {
  const golden = readGolden<Record<string, Vector<unknown>[]>>(file);
  return (golden[part] ?? []).flatMap(({ text }) => (text === undefined ? [] : [text]));
}

const commands = fc.constantFrom(...texts('client.json', 'commands'), ...texts('client.json', 'refused'));
// Valid values are drawn more often than invalid ones, or hardly any object would be valid.
function likely(...values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

const commandLike = fc.record(
  {
    cmd: likely('add_group', 'leave_group', 'send_to_group', 'group_info', 'ping'),
    id: likely(1, 'id', -0.5),
    group_id: likely(123, '123', '日本', '__proto__'),
    since: likely({ epoch: 'k3JxQ', offset: 41 }),
    message: likely('', 'hi'),
    message_id: likely('c7-1'),
    exclude_self: likely(true, false),
  },
  { requiredKeys: ['cmd', 'group_id'] },
);
const requestLike = fc.record(
  {
    type: likely(
      ...['hello', 'proof', 'subscribe', 'unsubscribe', 'publish'],
      ...['enqueue', 'watch', 'unwatch', 'done', 'failed'],
    ),
    version: likely(1),
    nonce: likely('00'.repeat(32)),
    proof: likely('ff'.repeat(32)),
    id: likely(1, 'id'),
    channels: likely([], ['a'], [1, 'group:1']),
    prefixes: likely([], ['group:']),
    data: fc.jsonValue(),
    sender: likely('', 'x'),
    message_id: likely('', 'x'),
    exclude_sender: likely(true, false),
    queue: likely('jobs', 1, '$dead:jobs'),
    concurrency: likely(1, 1_000),
    item: likely(1),
    attempt: likely(1),
  },
  { requiredKeys: ['type'] },
);
const requests = fc.constantFrom(...texts('json.json', 'requests'), ...texts('json.json', 'refused'));

describe('messages', () => {
  test('any sequence, cut anywhere, with heartbeats between, decodes to itself', () => {
    const sequence = fc.array(fc.tuple(nativeMessage, fc.nat({ max: 2 })), { maxLength: 8 });
    fc.assert(
      fc.property(sequence, places, (drawn, at) => {
        const frames = drawn.flatMap(([message, beats]) => [
          encodeNative(message),
          ...new Array<Uint8Array>(beats).fill(HEARTBEAT_FRAME),
        ]);
        const decoder = new FrameDecoder();
        expect(readStream(cut(concat(frames), at), decoder)).toEqual(drawn.map(([message]) => message));
        expect(decoder.pendingBytes).toBe(0);
      }),
      { ...run, numRuns: Math.ceil(run.numRuns / 5) },
    );
  });

  test('decoded messages encode to the same bytes, even after tampering', () => {
    let taken = 0;
    fc.assert(
      fc.property(mutated(nativeMessage.map(encodeNative)), (bytes) => {
        const decoder = new FrameDecoder();
        survives(ProtocolError, () =>
          decoder.push(bytes, (frame) => {
            const message = decodeNative(frame);
            // The message of an error may be truncated when it is encoded.
            if (message.type === 'error') return;
            expect(encodeNative(message)).toEqual(frame);
            taken += 1;
          }),
        );
      }),
      run,
    );
    expect(taken).toBeGreaterThan(0);
  });
});

describe('ProtocolError is the only error of', () => {
  test('arbitrary bytes as a stream', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), places, (bytes, at) => {
        const whole = survives(ProtocolError, () => readStream([bytes]));
        expect(survives(ProtocolError, () => readStream(cut(bytes, at)))).toBe(whole);
      }),
      run,
    );
  });

  test('arbitrary bytes after a length and an opcode', () => {
    const fields = fc.tuple(fc.nat({ max: 0x20 }), fc.uint8Array({ maxLength: 100 }));
    fc.assert(
      fc.property(fields, ([opcode, bytes]) => {
        const frame = concat([Uint8Array.of(0, 0, 0, 5 + bytes.length, opcode), bytes]);
        survives(ProtocolError, () => decodeNative(frame));
      }),
      run,
    );
  });

  test('damaged messages', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(
        mutated(fc.array(nativeMessage, { minLength: 1, maxLength: 3 }).map(encodeAll)),
        (bytes) => {
          seen[survives(ProtocolError, () => readStream([bytes])) ? 'taken' : 'refused'] += 1;
        },
      ),
      run,
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  test('frames of any length, empty ones too, in decodeNative', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        survives(ProtocolError, () => decodeNative(bytes));
      }),
      run,
    );
  });

  test('arbitrary text and JSON as a command', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(survives(CommandError, () => parseClientCommand(text))).toBe(false);
      }),
      run,
    );
  });

  test('damaged commands', () => {
    fc.assert(
      fc.property(mutated(commands.map(encodeText)), (bytes) => {
        survives(CommandError, () => parseClientCommand(new TextDecoder().decode(bytes)));
      }),
      run,
    );
  });

  test('objects with the fields of a command, and any values', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(commandLike, (fields) => {
        const text = JSON.stringify(fields);
        seen[survives(CommandError, () => parseClientCommand(text)) ? 'taken' : 'refused'] += 1;
      }),
      run,
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  test('arbitrary bytes and JSON as a request to the hub', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(encodeText)), (bytes) => {
        expect(survives(ProtocolError, () => parseHubJsonRequest(bytes))).toBe(false);
      }),
      run,
    );
  });

  test('damaged requests to the hub', () => {
    fc.assert(
      fc.property(mutated(requests.map(encodeText)), (bytes) => {
        survives(ProtocolError, () => parseHubJsonRequest(bytes));
      }),
      run,
    );
  });

  test('objects with the fields of a request to the hub, and any values', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(requestLike, (fields) => {
        const body = encodeText(JSON.stringify(fields));
        seen[survives(ProtocolError, () => parseHubJsonRequest(body)) ? 'taken' : 'refused'] += 1;
      }),
      run,
    );
    expect(seen.taken).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });
});

function encodeAll(messages: readonly NativeMessage[]): Uint8Array {
  return concat(messages.map(encodeNative));
}
