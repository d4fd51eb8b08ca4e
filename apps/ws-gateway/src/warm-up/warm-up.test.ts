import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { warmUp } from './warm-up.ts';

/** Part of Node's `tcp_wrap` that only direct reads use. */
interface TcpWrap {
  readonly TCP: { readonly prototype: { useUserBuffer(): void } };
}

const never = new AbortController().signal;

/** Returns the servers and sockets that keep this process alive. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
}

describe('a warm-up', () => {
  test('runs rounds, and leaves no socket behind', async () => {
    const before = resources();
    expect(await warmUp({ gateway: {}, maxMs: 2_000, signal: never, roundsMax: 2 })).toBe(2);
    await vi.waitFor(() => expect(resources()).toEqual(before));
  });

  test('runs under limits that it would reach', async () => {
    const gateway = { handshakesBurst: 1, handshakesPerSecond: 1, connectionsMax: 1, messagesPerSecond: 1 };
    const strict = {
      ...gateway,
      messagesBurst: 1,
      messageBytesMax: 128,
      allowedOrigins: ['https://example.com'],
    };
    expect(await warmUp({ gateway: strict, maxMs: 10_000, signal: never, roundsMax: 1 })).toBe(1);
  });

  test.each([true, false])('warms up what is used: direct sockets %s', async (directSockets) => {
    const binding: (name: string) => TcpWrap = Reflect.get(process, 'binding');
    const { TCP } = Reflect.apply(binding, process, ['tcp_wrap']);
    const directReads = vi.spyOn(TCP.prototype, 'useUserBuffer');
    try {
      await warmUp({ gateway: { directSockets }, maxMs: 10_000, signal: never, roundsMax: 1 });
      expect(directReads.mock.calls.length > 0).toBe(directSockets);
    } finally {
      directReads.mockRestore();
    }
  });

  test('without time runs no rounds', async () => {
    expect(await warmUp({ gateway: {}, maxMs: 0, signal: never })).toBe(0);
  });

  test('ends in time while garbage is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const collecting = setInterval(collect, 20);
    const run = warmUp({ gateway: {}, maxMs: 300, signal: never, roundsMax: 100_000 });
    await expect(run.finally(() => clearInterval(collecting))).resolves.toBeLessThan(100_000);
  }, 20_000);

  test('ends when it is aborted', async () => {
    const ending = new AbortController();
    const run = warmUp({ gateway: {}, maxMs: 60_000, signal: ending.signal });
    ending.abort();
    await expect(run).resolves.toBeLessThan(200);
    await expect(warmUp({ gateway: {}, maxMs: 60_000, signal: ending.signal })).resolves.toBe(0);
  });
});
