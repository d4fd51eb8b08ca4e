import { expect, test, vi } from 'vitest';
import { warmUp } from './warm-up.ts';

/** The part of Node's own `tcp_wrap` that only direct reads use. */
interface TcpWrap {
  readonly TCP: { readonly prototype: { useUserBuffer(): void } };
}

test('ends after its rounds', async () => {
  expect(await warmUp({ directSockets: true, maxMs: 60_000, roundsMax: 25 })).toBe(25);
});

test('without time does nothing', async () => {
  expect(await warmUp({ directSockets: true, maxMs: 0 })).toBe(0);
});

test('ends when its time is up', async () => {
  const roundsMax = 1_000_000_000;
  expect(await warmUp({ directSockets: true, maxMs: 1, roundsMax })).toBeLessThan(roundsMax);
});

test.each([true, false])('warms up what is used: direct sockets: %s', async (directSockets) => {
  const binding: (name: string) => TcpWrap = Reflect.get(process, 'binding');
  const { TCP } = Reflect.apply(binding, process, ['tcp_wrap']);
  const directReads = vi.spyOn(TCP.prototype, 'useUserBuffer');
  try {
    await warmUp({ directSockets, maxMs: 60_000, roundsMax: 2 });
    expect(directReads.mock.calls.length > 0).toBe(directSockets);
  } finally {
    directReads.mockRestore();
  }
});
