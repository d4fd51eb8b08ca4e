import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimingWheel } from '../timing-wheel.ts';
import { Backpressure, type WritableConnection } from './backpressure.ts';
import { CHUNK_OVERHEAD_BYTES } from './shared-buffers.ts';

/** Limits that are so small that chunks reach them, and no connection is cut. */
const LIMITS = {
  slowBytesPerSecond: 10,
  slowMs: 4_000,
  clientBufferBytes: 200,
  clientBufferTotalBytes: 1_000_000,
};

/** A connection that keeps its chunks, as a socket does, and computes the rule by itself. */
class ModelOutlet implements WritableConnection {
  writtenBytes = 0;
  sentBytes = 0;
  chunks: Uint8Array[] = [];
  slow = 0;

  get bufferedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  tooSlow(): void {
    this.slow += 1;
  }

  cut(): void {
    throw new Error('There is room for all.');
  }

  write(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.writtenBytes += chunk.length;
  }

  /** Sends whole chunks and the beginning of the next. Memory is free at the end of each chunk. */
  take(bytes: number): void {
    this.sentBytes += Math.min(bytes, this.writtenBytes - this.sentBytes);
    while (this.chunks.length > 0 && this.restOfFirst <= 0) this.chunks.shift();
  }

  get behindBytes(): number {
    const behind = this.chunks.slice(1);
    const long = behind.find(({ length }) => length > LIMITS.clientBufferBytes)?.length ?? 0;
    return behind.reduce((sum, { length }) => sum + length, -long);
  }

  private get restOfFirst(): number {
    const behind = this.chunks.slice(1).reduce((sum, { length }) => sum + length, 0);
    return this.writtenBytes - behind - this.sentBytes;
  }
}

const CLIENTS = 4;
const who = fc.nat(CLIENTS - 1);
const step = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    who: fc.uniqueArray(who, { minLength: 1 }),
    bytes: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({ do: fc.constant('take' as const), who, bytes: fc.integer({ min: 0, max: 600 }) }),
  fc.record({ do: fc.constant('end' as const), who }),
  fc.record({ do: fc.constant('tick' as const) }),
);

test('each buffered chunk counts once for all, and the rule is that of each connection', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const wheel = new TimingWheel();
      const policy = new Backpressure(LIMITS, wheel);
      const outlets = Array.from({ length: CLIENTS }, () => new ModelOutlet());
      const end = (index: number): void => {
        policy.forget(outlets[index] as ModelOutlet);
        outlets[index] = new ModelOutlet();
      };
      for (const one of steps) {
        if (one.do === 'tick') wheel.tick();
        else if (one.do === 'write') {
          const chunk = new Uint8Array(one.bytes);
          for (const index of one.who) {
            const outlet = outlets[index] as ModelOutlet;
            outlet.write(chunk);
            const verdict = policy.wrote(outlet, chunk);
            expect(verdict).toBe(outlet.behindBytes > LIMITS.clientBufferBytes ? 'slow' : 'ok');
            // A slow connection has no further writes.
            if (verdict === 'slow') end(index);
          }
        } else if (one.do === 'take') (outlets[one.who] as ModelOutlet).take(one.bytes);
        else end(one.who);
        const held = outlets.flatMap(({ chunks }) => chunks);
        const bytes = [...new Set(held)].reduce((sum, { length }) => sum + length, 0);
        expect(policy.bufferedBytes).toBe(bytes + held.length * CHUNK_OVERHEAD_BYTES);
        expect(policy.congested).toBe(outlets.filter(({ chunks }) => chunks.length > 0).length);
      }
    }),
    { numRuns: 2_000 },
  );
});
