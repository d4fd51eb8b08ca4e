import {
  encodeText,
  FrameDecoder,
  HEARTBEAT_FRAME,
  limits,
  native,
  type Position,
  ProtocolError,
} from '@groupcast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine, HistoryPage, PublishSlot } from '../../engine/engine.ts';
import type { HistoryLimits } from '../../engine/memory/history-limits.ts';
import { MemoryEngine } from '../../engine/memory/memory-engine.ts';
import { Router } from '../../routing/router.ts';
import type { Subscriber } from '../../routing/subscriber.ts';
import type { Output, Requests } from '../dialect.ts';
import { NativeDialect } from './dialect.ts';

const CHANNELS = ['a', 'b', 'c', 'これ'] as const;
const LIMITS: Partial<HistoryLimits> = { countMax: 12, bytesMax: 900 };

type Op =
  | {
      do: 'publish';
      channel: string;
      bytes: number;
      request: number;
      sender: string;
      messageId: string;
      ephemeral: boolean;
    }
  | { do: 'subscribe' | 'unsubscribe'; who: number; name: string; prefix: boolean }
  | { do: 'history'; channel: string; back: number }
  | { do: 'heartbeat' }
  | { do: 'bad'; field: 'flags' | 'channel' | 'opcode' };

const channel = fc.constantFrom(...CHANNELS);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      channel,
      bytes: fc.nat(60),
      request: fc.constantFrom(0, 0, 0, 5, 2 ** 40),
      sender: fc.constantFrom('', 'me', 'é'),
      messageId: fc.constantFrom('', '', '', '', 'm1', 'm2'),
      ephemeral: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('subscribe' as const, 'unsubscribe' as const),
      who: fc.nat(2),
      name: channel,
      prefix: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('history' as const), channel, back: fc.nat(15) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'heartbeat' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('bad' as const),
      field: fc.constantFrom('flags', 'channel', 'opcode'),
    }),
  },
);

/** A case for the fast path, which random operations might miss. */
const SIDE_BY_SIDE: Op[] = Array.from({ length: 20 }, (_, bytes) => {
  return { do: 'publish', channel: 'a', bytes, request: 0, sender: '', messageId: '', ephemeral: false };
});

/** A subscriber that records every byte. */
class Witness implements Subscriber {
  readonly got: string[] = [];
  readonly acceptsRuns: boolean;

  constructor(takesRuns: boolean) {
    this.acceptsRuns = takesRuns;
  }

  deliver(frame: Uint8Array): void {
    this.got.push(hex(frame));
  }
  deliverEphemeral(frame: Uint8Array): boolean {
    this.deliver(frame);
    return true;
  }
  deliverRun(frames: Uint8Array, count: number): void {
    const before = this.got.length;
    new FrameDecoder().push(frames, (frame) => this.deliver(frame));
    expect(this.got.length - before).toBe(count);
  }
  subscribed(subject: native.Subject, position: Position): void {
    this.got.push(`subscribed ${subject.name} ${subject.prefix} ${position.offset}`);
  }
  subscribeRejected(): void {
    throw new Error('The engine accepts every subscription.');
  }
}

/** A hub without sockets: one publishing peer, and three subscribers. */
class Rig {
  readonly witnesses = [new Witness(true), new Witness(true), new Witness(false)] as const;
  /** Positions and pages in the answers to the peer, and the reason for its end. */
  readonly answers: string[] = [];
  runs = 0;
  longestRun = 0;
  readonly engine: Engine;
  readonly #router: Router;
  readonly #dialect: NativeDialect;
  readonly #decoder = new FrameDecoder();

  constructor(engine: Engine) {
    this.engine = engine;
    this.#router = new Router(engine);
    void engine.start(this.#router);
    this.#dialect = new NativeDialect(this.#requests(), limits.FRAME_BYTES_MAX);
  }

  /** Receives a chunk as a peer does. Returns false if the peer is closed. */
  read(chunk: Uint8Array): boolean {
    try {
      this.#decoder.cut(chunk, (bytes, start, end) => {
        if (end - start > HEARTBEAT_FRAME.length) this.#dialect.receive(bytes, start, end);
        return true;
      });
      this.#dialect.receivedAll();
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.answers.push(`ended: ${error.code}`);
      return false;
    }
  }

  #requests(): Requests {
    return {
      id: 1,
      queues: { enqueue: never, consumer: never, sendItem: never },
      hello: never,
      proof: never,
      ensureOpen: never,
      systemChannelError: never,
      subscribe: (request, subjects) => {
        const witness = this.witnesses[Number(request) - 1] ?? this.witnesses[0];
        for (const subject of subjects) this.#router.subscribe(subject, witness, request);
      },
      unsubscribe: (subjects) => {
        for (const subject of subjects) {
          for (const witness of this.witnesses) this.#router.unsubscribe(subject, witness);
        }
      },
      publish: (publication, frame, slot, request) => this.#router.publish(publication, frame, slot, request),
      publishRun: (bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot) => {
        this.runs += 1;
        this.longestRun = Math.max(this.longestRun, count);
        this.#router.publishRun(bytes, start, end, count, slot);
      },
      history: (...args) => this.#router.history(...args),
      output: this.#output(),
      inPieces: never,
      reject: never,
      countRejection: never,
      drop: never,
      countReceived: never,
      countSkipped: never,
      countLossy: never,
      close: never,
    };
  }

  #output(): Output {
    return {
      send: (frame) => {
        const message = native.decodeNative(frame);
        if (message.type !== 'published') return;
        this.answers.push(`published ${message.request} ${message.position.offset}`);
      },
      sendPage: (header, frames) => {
        const page = native.decodeNative(header);
        if (page.type !== 'page') return never();
        const { verdict, position, count } = page;
        this.answers.push(`page ${verdict} ${position.offset} ${count} ${frames.map(hex).join(' ')}`);
      },
      sendToOne: never,
      allowRecall: never,
      recall: never,
    };
  }
}

/** A clock that stands still: two engines read it at different times. */
function clock(): () => number {
  return () => 1_700_000_000_000;
}

/** The same engine without publishRun. */
function withoutRuns(inner: Engine): Engine {
  return {
    start: (sink) => inner.start(sink),
    publish: (...args) => inner.publish(...args),
    subscribe: (...args) => inner.subscribe(...args),
    unsubscribe: (subject) => inner.unsubscribe(subject),
    boundHistory: (boundsOf) => inner.boundHistory(boundsOf),
    history: (...args) => inner.history(...args),
    close: () => inner.close(),
    stats: () => inner.stats(),
  };
}

function never(): never {
  throw new Error('No operation of this test makes this call.');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function positionOf(engine: Engine, name: string): Position {
  let position: Position = { epoch: '', offset: 0 };
  const slot = {
    historyPage: (_request: number, page: HistoryPage) => {
      position = page.position;
    },
    historyRejected: () => {},
  };
  engine.history({ channel: name, since: position }, slot, 1);
  return position;
}

function encode(each: Op, number: number, epoch: string): Uint8Array {
  switch (each.do) {
    case 'publish': {
      const payload = encodeText(`${number}`.padEnd(each.bytes, '.'));
      const { channel, request, sender, ephemeral } = each;
      const messageId = ephemeral ? '' : each.messageId;
      return native.encodePublish({
        ...{ channel, sender, messageId, ephemeral, payload, kind: 'text', excludeSender: false },
        number: request,
      });
    }
    case 'subscribe':
      return native.encodeSubscribe({
        request: each.who + 1,
        subjects: [{ name: each.name, prefix: each.prefix }],
      });
    case 'unsubscribe':
      return native.encodeUnsubscribe([{ name: each.name, prefix: each.prefix }]);
    case 'history':
      return native.encodeHistory({ request: 9, channel: each.channel, since: { epoch, offset: each.back } });
    case 'heartbeat':
      return HEARTBEAT_FRAME;
    case 'bad': {
      const fields = {
        sender: '',
        messageId: '',
        payload: encodeText('bad'),
        kind: 'text',
        number: 0,
      } as const;
      const frame = native.encodePublish({ channel: 'a', excludeSender: false, ...fields });
      if (each.field === 'flags') frame[5] = 0xff;
      if (each.field === 'opcode') frame[4] = 0x1f;
      if (each.field === 'channel') frame[native.channelAt(0)] = 0xff;
      return frame;
    }
  }
}

/** Runs all operations in chunks of these lengths, which repeat. */
function run(rig: Rig, ops: readonly Op[], lengths: readonly number[]): void {
  const { epoch } = positionOf(rig.engine, 'unheard');
  const stream = Buffer.concat(ops.map((each, index) => encode(each, index, epoch)));
  for (let at = 0, index = 0; at < stream.length; index++) {
    const end = at + (lengths[index % lengths.length] ?? 1);
    // Copies, because the hub writes into the bytes that it reads.
    if (!rig.read(Buffer.from(stream.subarray(at, end)))) return;
    at = end;
  }
}

/** All history that can be read. */
function kept(engine: Engine): string[] {
  return CHANNELS.map((name) => {
    const { epoch, offset } = positionOf(engine, name);
    const pages: string[] = [];
    for (let back = 20; back >= 0; back--) {
      const slot = {
        historyPage: (_request: number, { verdict, frames }: HistoryPage) => {
          pages.push(`${verdict} ${frames.map(hex).join(' ')}`);
        },
        historyRejected: () => {},
      };
      const since = { epoch, offset: Math.max(0, offset - back) };
      engine.history({ channel: name, since }, slot, 1);
    }
    return `${name} ${offset} ${pages.join('\n')}`;
  });
}

test('runs give the same deliveries, answers and history as the same publications one by one', () => {
  let longestRun = 0;
  let ended = 0;
  fc.assert(
    fc.property(
      fc.array(op, { minLength: 10, maxLength: 80 }),
      fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 5 }),
      (ops, lengths) => {
        const fast = new Rig(new MemoryEngine(LIMITS, { now: clock() }));
        const plain = new Rig(withoutRuns(new MemoryEngine(LIMITS, { now: clock() })));
        run(fast, ops, lengths);
        run(plain, ops, [1]);
        expect(fast.witnesses.map(({ got }) => got)).toEqual(plain.witnesses.map(({ got }) => got));
        expect(fast.answers).toEqual(plain.answers);
        expect(kept(fast.engine)).toEqual(kept(plain.engine));
        const { history } = fast.engine.stats();
        const expected = plain.engine.stats().history;
        expect(history.publications).toBe(expected.publications);
        expect(history.trimmed).toEqual(expected.trimmed);
        expect(history.duplicates).toBe(expected.duplicates);
        longestRun = Math.max(longestRun, fast.longestRun);
        if (fast.answers.at(-1)?.startsWith('ended')) ended += 1;
        void fast.engine.close();
        void plain.engine.close();
      },
    ),
    { numRuns: 300, examples: [[SIDE_BY_SIDE, [2_000]]] },
  );
  // The fast path was used, and left in the middle.
  expect(longestRun).toBeGreaterThan(5);
  expect(ended).toBeGreaterThan(10);
});
