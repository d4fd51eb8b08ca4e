import { fileURLToPath } from 'node:url';
import {
  killAll,
  startGateway,
  startHub,
  startProcess,
  TcpProxy,
  TestClient,
  until,
} from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

const V1 = { protocol: 'groupcast.v1' };
/** Bytes that each reader reads per second. */
const READ_BYTES_PER_SECOND = 2_000_000;

const FLOOD = fileURLToPath(new URL('./flood-program.ts', import.meta.url));

afterEach(killAll);

test.each([
  [20, 'text', 1, 10],
  // Two, since this process reads each of many small messages.
  [40, 'numbers', 1, 2],
  [20, 'quotes', 2, 10],
  // Of four workers three see nothing of what the others let through.
  [20, 'text', 4, 1],
])(
  'members that read 2 MB/s stay, while %i clients flood their group with %s, workers: %i, readers: %i',
  async (flooders, kind, count, readerCount) => {
    const hub = await startHub();
    const gateway = await startGateway({ hub: hub.address, workers: count });
    const proxy = await TcpProxy.start({ target: Number(new URL(gateway.url).port) });
    proxy.set({ bytesPerSecond: READ_BYTES_PER_SECOND }, ['down']);
    const readers = await Promise.all(
      Array.from({ length: readerCount }, () => TestClient.open(`ws://127.0.0.1:${proxy.port}`, V1)),
    );
    for (const reader of readers) {
      await reader.next();
      reader.sendCommand({ cmd: 'add_group', group_id: 'g', id: 'join' });
      await reader.reply('join');
    }
    const flood = startProcess(process.execPath, [
      '--import',
      'tsx',
      FLOOD,
      gateway.url,
      `${flooders}`,
      kind,
    ]);
    expect(await flood.finished, flood.stderr).toEqual({ code: 0, signal: null });
    const { workers } = await gateway.stats();
    expect(workers.length).toBe(count);
    for (const { closed, rejected } of workers) {
      expect(closed).toMatchObject({ slow: 0 });
      expect(rejected).not.toMatchObject({ rate_limited: 0 });
    }

    // A message within the limit reaches all of them.
    const honest = await TestClient.open(gateway.url, V1);
    let attempts = 0;
    await until(async () => {
      attempts += 1;
      honest.sendCommand({ cmd: 'send_to_group', group_id: 'g', message: 'the last', id: attempts });
      return (await honest.reply(attempts))?.['type'] === 'ack';
    }, 'room in the group');
    await Promise.all(
      readers.map((reader) => reader.nextMatching(({ json }) => json?.['message'] === 'the last')),
    );
    await proxy.close();
  },
);
