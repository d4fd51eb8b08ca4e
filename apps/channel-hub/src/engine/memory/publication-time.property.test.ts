import { FrameDecoder, native } from '@groupcast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EngineSink, HistoryPage, HistorySlot, PublishSlot, SubscribeSlot } from '../engine.ts';
import { MemoryEngine } from './memory-engine.ts';

const CHANNELS = ['a', 'b'] as const;
type Channel = (typeof CHANNELS)[number];

const publication = fc.record({
  channel: fc.constantFrom(...CHANNELS),
  how: fc.constantFrom('plain' as const, 'plain' as const, 'ephemeral' as const, 'keyed' as const),
});

/** Publications that arrive together. */
const reads = fc.array(fc.array(publication, { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 20,
});

/** Readings of a clock, which may step back. */
const clock = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 50 });

/** A subscriber of the channel `a`, which records its frames. */
class Witness implements EngineSink, PublishSlot, HistorySlot {
  readonly publisher = 1;
  readonly frames: Uint8Array[] = [];
  readonly engine: MemoryEngine;
  #page: HistoryPage | undefined;

  constructor(engine: MemoryEngine) {
    this.engine = engine;
    void engine.start(this);
    engine.subscribe({ name: 'a', prefix: false }, this.#slot());
  }

  deliver(_channel: string, _offset: number, frame: Uint8Array): void {
    this.frames.push(frame.slice());
  }
  deliverEphemeral(_channel: string, frame: Uint8Array): void {
    this.frames.push(frame.slice());
  }
  published(): void {}
  publishRejected(): void {}
  historyRejected(): void {}
  historyPage(_request: number, page: HistoryPage): void {
    this.#page = page;
  }

  /** Returns the frames in the history of a channel. */
  pageOf(channel: Channel): readonly Uint8Array[] {
    this.engine.history({ channel, since: { epoch: '', offset: 0 }, last: 1_000 }, this, 1);
    return this.#page?.frames ?? [];
  }

  #slot(): SubscribeSlot {
    return {
      subscribed: () => {},
      subscribeRejected: () => {},
      deliverRun: (_offset, bytes, start, end) => {
        new FrameDecoder().push(bytes.subarray(start, end), (frame) => this.frames.push(frame.slice()));
      },
    };
  }
}

function encode(channel: Channel, how: 'plain' | 'ephemeral' | 'keyed'): Uint8Array {
  const keyed = how === 'keyed' ? { key: 'k', lifeMs: 0 } : undefined;
  const names = { channel, kind: 'text', excludeSender: false, sender: '', messageId: '' } as const;
  return native.encodePublish({ ...names, payload: 'x', number: 0, keyed, ephemeral: how === 'ephemeral' });
}

/** Publishes as the native dialect does: plain ones side by side in runs, others alone. */
function publishAll(
  engine: MemoryEngine,
  witness: Witness,
  read: readonly { channel: Channel; how: 'plain' | 'ephemeral' | 'keyed' }[],
): void {
  for (let at = 0; at < read.length; ) {
    const { channel, how } = read[at]!;
    if (how !== 'plain') {
      const frame = encode(channel, how);
      engine.publish(native.decodePublication(frame), frame, witness, 0);
      at += 1;
      continue;
    }
    const others = read.slice(at).findIndex((each) => each.how !== 'plain');
    const run = read.slice(at, others === -1 ? undefined : at + others);
    const bytes = Buffer.concat(run.map((each) => encode(each.channel, 'plain')));
    engine.publishRun(bytes, 0, bytes.length, witness);
    at += run.length;
  }
}

function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex');
}

function timesOf(frames: readonly Uint8Array[]): number[] {
  return frames.map((frame) => native.decodePublication(frame).timeMs);
}

test('times do not go back within a channel, whatever the clock does, and history has the same ones', () => {
  fc.assert(
    fc.property(reads, clock, (drawn, readings) => {
      let calls = 0;
      const engine = new MemoryEngine({}, { now: () => readings[calls++ % readings.length] ?? 0 });
      const witness = new Witness(engine);
      for (const read of drawn) publishAll(engine, witness, read);
      const stored = witness.frames.filter((frame) => !native.decodePublication(frame).ephemeral);
      expect(witness.pageOf('a').map(hex)).toEqual(stored.map(hex));
      for (const frames of [witness.frames, witness.pageOf('b')]) {
        const times = timesOf(frames);
        expect(times).toEqual([...times].sort((one, other) => one - other));
      }
      void engine.close();
    }),
    { numRuns: 300 },
  );
});
