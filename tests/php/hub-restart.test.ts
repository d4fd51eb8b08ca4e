import { killAll, startHub, type TestHub, until } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { NumberedFollower, NumberedPublisher } from './numbered-stream.ts';
import { withoutPhp } from './start-php.ts';

const RESTARTS_MIN = 3;
/** Seconds during which hubs are restarted; raise it for a long run. */
const SOAK_SECONDS = Number(process.env['PHP_SOAK_SECONDS'] ?? 0);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Values that each follower must receive after its subscriptions are active. */
const VALUES_EACH = 20;

describe.skipIf(withoutPhp)(`hubs that end under PHP workers, FUZZ_SEED=${seed}`, () => {
  const followers: NumberedFollower[] = [];
  const ended: string[] = [];
  let hub: TestHub;

  afterAll(killAll);

  function untilAll(what: string, holds: (follower: NumberedFollower) => boolean): Promise<boolean> {
    // A wait for a process that has ended fails at once.
    return until(() => ended.length > 0 || followers.every(holds), what);
  }

  async function startStream(event: string, index: number): Promise<void> {
    const publisher = new NumberedPublisher(hub.port, event, seed + index);
    for (let left = 2; left > 0; left--) {
      followers.push(await NumberedFollower.start(hub.port, event, publisher));
    }
    for (const child of [publisher.child, ...followers.slice(-2).map((follower) => follower.child)]) {
      void child.finished.then(({ code }) => ended.push(`${code}: ${child.stderr}`));
    }
  }

  /**
   * All connect and receive publications while the hub ends. Each must have all of them from the
   * time of its connection.
   */
  async function oneLife(restart: number): Promise<void> {
    await untilAll('values', ({ life, due }) => (life.got.at(-1)?.number ?? 0) >= due + VALUES_EACH);
    const due = followers.map((follower) => follower.due);
    const lives = followers.map(({ life }) => life);
    const refusals = followers.map((follower) => follower.refusals);
    await (restart % 2 === 0 ? hub.kill() : hub.stop());
    await untilAll('the loss of all connections', ({ life }) => !lives.includes(life));
    for (const [index, { publisher }] of followers.entries()) {
      const { got } = lives[index]!;
      const first = got[0]?.number ?? Infinity;
      expect(first).toBeLessThanOrEqual(due[index]!);
      const published = publisher.md5s(first, got.length);
      expect(got).toEqual(published.map((md5, offset) => ({ number: first + offset, md5 })));
    }
    if (restart % 3 !== 0) return;
    await untilAll('attempts without a hub', (follower) => {
      return follower.refusals > (refusals[followers.indexOf(follower)] ?? 0);
    });
  }

  test(
    'no worker ends, and each receives all publications while it is connected, byte for byte',
    async () => {
      hub = await startHub({ drainSeconds: 1 });
      // One of the names becomes an integer when its followers reconnect.
      for (const [index, event] of ['numbers', '7'].entries()) await startStream(event, index);
      const endAt = performance.now() + SOAK_SECONDS * 1_000;
      let restarts = 0;
      for (; restarts < RESTARTS_MIN || performance.now() < endAt; restarts++) {
        await oneLife(restarts);
        expect(ended).toEqual([]);
        hub = await startHub({ drainSeconds: 1, port: hub.port, adminPort: hub.adminPort });
      }
      await oneLife(restarts);
      expect(ended).toEqual([]);
      for (const { lives } of followers) expect(lives.length).toBe(restarts + 2);
      const got = followers.flatMap(({ lives }) => lives.map((life) => life.got.length));
      const values = got.reduce((sum, count) => sum + count, 0);
      if (SOAK_SECONDS > 0) process.stdout.write(`${restarts} restarts, ${values} values were got\n`);
    },
    120_000 + SOAK_SECONDS * 1_000,
  );
});
