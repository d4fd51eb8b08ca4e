import { killAll, startHub } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { takeEvents } from './events-of.ts';
import { runPhp, startSubscriber, withoutPhp } from './start-php.ts';

const VALUES = 10_000;
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe.skipIf(withoutPhp)(`from PHP to PHP, FUZZ_SEED=${seed}`, () => {
  afterAll(killAll);

  test('values of all kinds arrive unchanged, byte for byte, in order', async () => {
    const hub = await startHub();
    const subscribers = [
      await startSubscriber('subscribe', hub.port, 'md5', 'values'),
      await startSubscriber('subscribe', hub.port, 'md5', 'values', 'other'),
    ];
    const published = await runPhp('publish-random', hub.port, 'values', seed, VALUES);
    expect(published).toHaveLength(VALUES);
    for (const child of subscribers) expect(await takeEvents(child, 'values', VALUES)).toEqual(published);
  });
});
