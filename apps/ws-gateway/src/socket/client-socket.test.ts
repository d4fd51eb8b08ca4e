import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AcceptedClient,
  ClientSocketServer,
  MESSAGE_BYTES_MAX,
  type Way,
} from '../../testing/client-socket-run.ts';
import type { ClientSocket } from './client-socket.ts';
import { textFrame, textFrames } from './outbound-frame.ts';

const WAYS = ['ws', 'stream', 'direct', 'at once'] as const satisfies readonly Way[];

const servers = {
  ws: new ClientSocketServer('ws'),
  stream: new ClientSocketServer('stream'),
  direct: new ClientSocketServer('direct'),
  'at once': new ClientSocketServer('at once'),
} satisfies Record<Way, ClientSocketServer>;

beforeAll(async () => {
  for (const way of WAYS) await servers[way].listen();
});

afterAll(() => {
  for (const way of WAYS) servers[way].close();
});

const CLOSE_FRAME = 0x88;

function masked(first: number, payload: string | Uint8Array): Buffer {
  const frame = clientFrame(first, payload);
  const payloadBytes = Buffer.byteLength(payload);
  const begin = frame.length - payloadBytes;
  const mask = Buffer.from([0xa1, 0x02, 0xf3, 0x44]);
  mask.copy(frame, begin - 4);
  for (let at = 0; at < payloadBytes; at++)
    frame[begin + at] = (frame[begin + at] ?? 0) ^ (mask[at & 3] ?? 0);
  return frame;
}

const text = (words: string): Buffer => masked(0x81, words);

function closing(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return masked(CLOSE_FRAME, payload);
}

/** A server that answers what it hears, does what some texts ask for, and has last words. */
function answer(client: ClientSocket, heard: string): void {
  if (heard.startsWith('closed ')) return;
  if (heard === 'text close') client.close(4_000, 'as you like');
  else if (heard === 'text ping') client.ping();
  else if (heard === 'text large') client.write(textFrame('l'.repeat(300_000)));
  else if (heard === 'text many')
    for (let round = 0; round < 20; round++) client.write(textFrame(`answer ${round}`));
  else if (heard === 'binary') client.close(1_003, 'no');
  else client.write(textFrame(`heard ${heard.slice(0, 40)}`));
}

interface Outcome {
  readonly heard: readonly string[];
  readonly arrived: string;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.filter((place) => place > 0 && place < bytes.length))].sort((a, b) => a - b);
  return [0, ...at].map((begin, index) => bytes.subarray(begin, at[index] ?? bytes.length));
}

/**
 * Sends pieces, each of which the server reads by itself, then the end; answers with all that came
 * of it.
 */
async function outcomeOf(way: Way, pieces: readonly Buffer[], behind?: Buffer): Promise<Outcome> {
  const accepted = await servers[way].connect(answer, behind);
  for (const piece of pieces) await accepted.send(piece);
  accepted.far.end();
  await untilTurn(() => accepted.far.closed && accepted.heard.some((what) => what.startsWith('closed ')));
  return { heard: accepted.heard, arrived: accepted.arrived().toString('latin1') };
}

function expectSame(outcome: Outcome, expected: Outcome): void {
  expect(outcome.heard).toEqual(expected.heard);
  // Without a picture of the difference: it may be 300 kB long.
  expect(outcome.arrived.length).toBe(expected.arrived.length);
  expect(outcome.arrived === expected.arrived).toBe(true);
}

const PIECES: Readonly<Record<string, Buffer>> = {
  text: text('hello'),
  'no text': text(''),
  'a text of two bytes a letter': text('äöü€'.repeat(20)),
  'a text of 200 bytes': text('m'.repeat(200)),
  pong: masked(0x8a, 'pong'),
  ping: masked(0x89, 'ping'),
  'a fragmented text': Buffer.concat([masked(0x01, 'frag'), masked(0x80, 'ment')]),
  'a fragmented text around a ping': Buffer.concat([masked(0x01, 'a'), masked(0x89, ''), masked(0x80, 'b')]),
  'a fragmented text around a pong': Buffer.concat([masked(0x01, 'a'), masked(0x8a, ''), masked(0x80, 'b')]),
  'the first fragment alone': masked(0x01, 'never more'),
  binary: masked(0x82, 'bytes'),
  'a request to close': text('close'),
  'a request to ping': text('ping'),
  'a request for something large': text('large'),
  'a request for many answers': text('many'),
  close: closing(1_000, 'bye'),
  'a close without a code': masked(CLOSE_FRAME, ''),
  'a close with an invalid code': closing(1_005),
  'a reserved opcode': masked(0x83, 'x'),
  'a reserved bit': masked(0xc1, 'x'),
  'a continuation of nothing': masked(0x80, 'x'),
  'an unmasked text': Buffer.from('810548656c6c6f', 'hex'),
  'a text that is not UTF-8': masked(0x81, Buffer.from('6162ff', 'hex')),
  'a ping that is too long': masked(0x89, 'p'.repeat(126)),
  'a pong that is too long': masked(0x8a, 'p'.repeat(126)),
  'a length that is too large': Buffer.from('81ff0000000100000000000000', 'hex'),
};

const LARGE: Readonly<Record<string, Buffer>> = {
  'a text of 20000 bytes': text('n'.repeat(20_000)),
  'a text of 65535 bytes': text('o'.repeat(65_535)),
  'a text of 65536 bytes': text('p'.repeat(65_536)),
  'a text at the limit': text('q'.repeat(MESSAGE_BYTES_MAX)),
  'a text above the limit': text('r'.repeat(MESSAGE_BYTES_MAX + 1)),
};

describe.each(Object.entries(PIECES))('%s between texts', (_what, piece) => {
  const bytes = Buffer.concat([text('before'), piece, text('behind'), masked(0x8a, ''), text('last')]);

  test('does the same in one piece, byte by byte and behind the request, on all ways', async () => {
    const expected = await outcomeOf('ws', [bytes]);
    expect(expected.heard[0]).toBe('text before');
    const bytewise = cut(
      bytes,
      Array.from(bytes, (_byte, at) => at),
    );
    for (const way of WAYS) {
      expectSame(await outcomeOf(way, [bytes]), expected);
      expectSame(await outcomeOf(way, bytewise), expected);
      expectSame(await outcomeOf(way, [], bytes), expected);
    }
  });

  test('does the same when it comes by itself and is cut short', async () => {
    for (const short of [piece, piece.subarray(0, -1), piece.subarray(0, 1)]) {
      const expected = await outcomeOf('ws', [short]);
      for (const way of ['stream', 'direct', 'at once'] as const)
        expectSame(await outcomeOf(way, [short]), expected);
    }
  });
});

test.each(Object.entries(LARGE))('%s does the same on all ways', async (_what, piece) => {
  const bytes = Buffer.concat([text('before'), piece, text('behind')]);
  const expected = await outcomeOf('ws', [bytes]);
  for (const way of WAYS) {
    for (const places of [[], [20], [16_000], [30_000], [10, 30_000], [bytes.length - 3]]) {
      expectSame(await outcomeOf(way, cut(bytes, places)), expected);
    }
  }
});

test('any frames, cut anywhere, do the same on all ways', async () => {
  const ordinary = fc.constantFrom(
    text('a'),
    text('ß'),
    text('b'.repeat(130)),
    masked(0x8a, 'p'),
    text('many'),
  );
  const any = fc.constantFrom(...Object.values(PIECES));
  const frames = fc.array(fc.oneof({ arbitrary: ordinary, weight: 4 }, { arbitrary: any, weight: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
  const run = fc.record({
    frames,
    places: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
    behind: fc.nat({ max: 60 }),
    cutShort: fc.nat({ max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(run, async ({ frames: parts, places, behind, cutShort }) => {
      const whole = Buffer.concat(parts);
      const bytes = whole.subarray(0, whole.length - cutShort);
      const expected = await outcomeOf('ws', [bytes]);
      for (const way of WAYS) {
        expectSame(await outcomeOf(way, cut(bytes, places)), expected);
        expectSame(
          await outcomeOf(way, cut(bytes.subarray(behind), places), bytes.subarray(0, behind)),
          expected,
        );
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);

test.each(['stream', 'direct', 'at once'] as const)(
  '(%s) what is kept of one client is not what another one sends',
  async (way) => {
    const one = await servers[way].connect();
    const two = await servers[way].connect();
    const whole = text('the first client');
    const ping = masked(0x89, 'ping of the first');
    await one.send(Buffer.concat([text('x'), whole.subarray(0, 12)]));
    await two.send(text('another one, which says more than the first'));
    await one.send(Buffer.concat([whole.subarray(12), ping.subarray(0, 9)]));
    await two.send(text('and more, so that nothing is left of what was there'));
    await one.send(Buffer.concat([ping.subarray(9), text('end')]));
    expect(one.heard).toEqual(['text x', 'text the first client', 'control', 'text end']);
    await untilTurn(() => one.arrived().length === 19);
    expect(one.arrived().toString('latin1')).toBe('\x8a\x11ping of the first');
  },
);

/** Ws listens to the socket itself. */
function isWithWs({ socket }: AcceptedClient): boolean {
  return socket.listeners('data').some((listener) => listener.name === 'socketOnData');
}

describe.each(['stream', 'direct', 'at once'] as const)('(%s) ws is not there', (way) => {
  test('while texts and pongs come, whole or in two pieces, and afterwards it is', async () => {
    const accepted = await servers[way].connect(answer);
    const { heard, send } = accepted;
    const cutText = text('in two pieces');
    await send(Buffer.concat([text('whole'), masked(0x8a, ''), text('ß')]));
    for (const piece of cut(cutText, [7])) await send(piece);
    await send(text('by itself'));
    for (const piece of cut(Buffer.concat([cutText, cutText]), [1, 20])) await send(piece);
    await send(text('ping'));
    expect(heard).toEqual([
      'text whole',
      'control',
      'text ß',
      'text in two pieces',
      'text by itself',
      'text in two pieces',
      'text in two pieces',
      'text ping',
    ]);
    expect(isWithWs(accepted)).toBe(false);
    await send(masked(0x89, ''));
    expect(isWithWs(accepted)).toBe(true);
    accepted.far.destroy();
  });

  test('until the beginning of a frame has come in two pieces, or is longer than 16 KiB', async () => {
    const long = text('x'.repeat(20_000));
    const kept = await servers[way].connect();
    await kept.send(long.subarray(0, 16 * 1024));
    expect(isWithWs(kept)).toBe(false);
    await kept.send(long.subarray(16 * 1024, -1));
    expect(isWithWs(kept)).toBe(true);
    await kept.send(long.subarray(-1));
    const tooLong = await servers[way].connect();
    await tooLong.send(long.subarray(0, 16 * 1024 + 1));
    expect(isWithWs(tooLong)).toBe(true);
    await tooLong.send(long.subarray(16 * 1024 + 1));
    for (const { heard, far } of [kept, tooLong]) {
      expect(heard.length).toBe(1);
      expect(heard[0]).toHaveLength('text '.length + 20_000);
      far.destroy();
    }
  });
});

/** Writes until something waits in this process; answers with the texts. */
function writeUntilQueued(client: ClientSocket): string[] {
  const texts: string[] = [];
  while (client.bufferedBytes === 0) {
    const large = `${texts.length} `.repeat(100_000);
    texts.push(large);
    expect(client.write(textFrame(large))).toBe(true);
    if (texts.length > 500) throw new Error('The kernel took everything.');
  }
  return texts;
}

/** A client that does not read. */
async function lazy(way: Way): Promise<AcceptedClient> {
  const accepted = await servers[way].connect();
  accepted.far.pause();
  return accepted;
}

const CLOSE_SLOW = Buffer.concat([Buffer.from([CLOSE_FRAME, 6, 0x0f, 0xa1]), Buffer.from('slow')]);

describe.each(WAYS)('(%s) a client that does not read', (way) => {
  test('gets what was written, whole and in order, then the close frame, and nothing behind it', async () => {
    const { client, far, heard, arrived } = await lazy(way);
    expect(client.bufferedBytes).toBe(0);
    const texts = writeUntilQueued(client);
    const queued = client.bufferedBytes;
    const more = ['more', 'm'.repeat(70_000)];
    expect(client.write(textFrames(more.map((words) => Buffer.from(words))))).toBe(true);
    expect(client.bufferedBytes).toBeGreaterThan(queued);
    client.ping();
    client.close(4_001, 'slow');
    expect(client.bufferedBytes).toBeGreaterThan(queued);
    expect(client.write(textFrame('late'))).toBe(false);
    client.ping();
    far.resume();
    const expected = Buffer.concat([
      ...[...texts, ...more].map(textFrame),
      Buffer.from([0x89, 0]),
      CLOSE_SLOW,
    ]);
    await untilTurn(() => arrived().length >= expected.length);
    far.end(closing(4_001, 'slow'));
    await untilTurn(() => heard.includes('closed 4001'));
    expect(arrived().equals(expected)).toBe(true);
    expect(heard).toEqual(['closing undefined', 'closing undefined', 'closed 4001']);
  });

  test('takes direct writes again when it has read, and nothing is queued then', async () => {
    const { client, far, arrived } = await lazy(way);
    const texts = writeUntilQueued(client);
    far.resume();
    await untilTurn(() => client.bufferedBytes === 0);
    for (let round = 0; round < 50; round++) {
      texts.push(`again ${round}`);
      expect(client.write(textFrame(`again ${round}`))).toBe(true);
    }
    far.pause();
    texts.push(...writeUntilQueued(client));
    far.resume();
    const expected = Buffer.concat(texts.map(textFrame));
    await untilTurn(() => arrived().length >= expected.length);
    expect(arrived().equals(expected)).toBe(true);
    client.terminate();
  });

  test.each<[string, (accepted: AcceptedClient) => void]>([
    ['resets', ({ far }) => far.resetAndDestroy()],
    ['is cut', ({ client }) => client.terminate()],
    [
      'is closed, then cut',
      ({ client }) => {
        client.close(4_001, 'slow');
        client.terminate();
      },
    ],
  ])('and %s is gone once, with nothing queued', async (_what, end) => {
    const accepted = await lazy(way);
    const { client, heard } = accepted;
    writeUntilQueued(client);
    end(accepted);
    await untilTurn(() => heard.some((what) => what.startsWith('closed ')));
    expect(client.write(textFrame('late'))).toBe(false);
    client.ping();
    client.close(1_000, 'late');
    client.terminate();
    await untilTurn(() => accepted.socket.closed && client.bufferedBytes === 0);
    expect(heard.filter((what) => what.startsWith('closed '))).toEqual(['closed 1006']);
  });

  test('closes its side and then resets is gone once', async () => {
    const { client, far, heard, socket } = await lazy(way);
    writeUntilQueued(client);
    far.end();
    await untilTurn(() => socket.readableEnded);
    far.resetAndDestroy();
    await untilTurn(() => heard.length > 0 && client.bufferedBytes === 0);
    expect(heard).toEqual(['closed 1006']);
  });

  test('and closes its side without a close frame still gets what was written before, and nothing after', async () => {
    const { client, far, heard, arrived, socket } = await lazy(way);
    const texts = writeUntilQueued(client);
    far.end();
    await untilTurn(() => socket.readableEnded);
    expect(client.write(textFrame('late'))).toBe(false);
    client.close(1_000, 'late');
    far.resume();
    await untilTurn(() => far.closed && heard.includes('closed 1006'));
    expect(arrived().equals(Buffer.concat(texts.map(textFrame)))).toBe(true);
  });
});

describe.each(WAYS)('(%s) acting from within a message', (way) => {
  test('a client that is cut is gone once, whatever stood behind', async () => {
    for (const piece of Object.values(PIECES)) {
      const { far, heard } = await servers[way].connect((client, what) => {
        if (what === 'text cut') client.terminate();
      });
      far.write(Buffer.concat([text('cut'), piece, text('behind')]));
      await untilTurn(() => far.closed && heard.some((what) => what.startsWith('closed ')));
      expect(heard[0]).toBe('text cut');
      expect(heard.at(-1)).toMatch(/^closed /);
      expect(heard.filter((what) => what.startsWith('closed '))).toHaveLength(1);
    }
  });

  test('what is written before, while and after ws takes over comes in order', async () => {
    const written: string[] = [];
    const accepted = await servers[way].connect((client, what) => {
      if (what !== 'control' && !what.startsWith('text')) return;
      for (const words of [`${written.length}`, 's'.repeat(40_000)]) {
        expect(client.write(textFrame(words))).toBe(true);
        written.push(words);
      }
    });
    for (let round = 0; round < 5; round++) await accepted.send(text('x'));
    // An unasked fragment: from here on ws reads, and nothing comes between.
    await accepted.send(Buffer.concat([text('y'), masked(0x01, 'fr'), masked(0x80, 'ag'), text('z')]));
    for (let round = 0; round < 5; round++) await accepted.send(text('x'));
    accepted.client.close(4_001, 'slow');
    const expected = Buffer.concat([...written.map(textFrame), CLOSE_SLOW]);
    await untilTurn(() => accepted.arrived().length >= expected.length);
    expect(accepted.arrived().equals(expected)).toBe(true);
    expect(written.length).toBe(26);
    accepted.far.destroy();
  });

  test("nothing is queued, and the address is the peer's, while it is idle", async () => {
    const { client, far, heard } = await servers[way].connect();
    expect(client.bufferedBytes).toBe(0);
    expect(client.remoteAddress).toBe('127.0.0.1');
    far.resetAndDestroy();
    await untilTurn(() => heard.length > 0);
    expect(heard).toEqual(['closed 1006']);
    expect(client.bufferedBytes).toBe(0);
    expect(client.write(textFrame('late'))).toBe(false);
  });
});
