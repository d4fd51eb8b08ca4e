import { until } from '@groupcast/testkit';
import { expect, test } from 'vitest';
import { withoutPhp } from '../php/start-php.ts';
import { expectValid } from './expect-valid.ts';
import { linkCut } from './inject/network-faults.ts';
import { phpCut } from './inject/php-faults.ts';
import { hubKill, hubRestart, workerKill } from './inject/process-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import { run } from './run.ts';

const PHP = { peers: 3, publishers: 2, publishesPerSecond: 20, messageBytes: 100 };

/** Messages that all PHP workers together must receive before a run proves anything. */
const HEARD_MIN = 1_000;

const FAULTS = [workerKill(), phpCut(), linkCut(), hubRestart(), linkCut('fin'), hubKill()];

if (withoutPhp) process.stdout.write('skipped: PHP workers in a mixed fleet (no PHP on the PATH)\n');

test.skipIf(withoutPhp)(
  'PHP workers and clients share groups, and faults of one cost the other no message',
  async () => {
    const report = await run(
      async (context) => {
        for (const fault of FAULTS) {
          await fault.inject(context);
          await context.php?.untilSubscribed();
        }
        // Independent of the machine's speed.
        const heard = (): number => context.log.events.filter(({ type }) => type === 'php-heard').length;
        await until(heard, 'as much as is worth a verdict', (count) => count > HEARD_MIN);
      },
      { load: SMALL_LOAD, php: PHP },
      { gateways: 2 },
    );
    expectValid(report);
    const { heard, losses, faults } = report.verdict.counts;
    expect([...faults.values()].reduce((sum, count) => sum + count, 0)).toBe(FAULTS.length);
    expect(heard).toBeGreaterThan(HEARD_MIN);
    // The wire promises only at most once; still, a connected worker must miss nothing.
    expect(losses.get('while connected')).toBeUndefined();
    expect(losses.get('not connected')).toBeGreaterThan(0);
    // From both kinds, to both kinds.
    const ids = (type: 'recv' | 'php-heard') =>
      new Set(report.log.events.flatMap((event) => (event.type === type ? [event.id.charAt(0)] : [])));
    expect(ids('recv')).toEqual(new Set(['p', 'q', 'w', 'm']));
    expect(ids('php-heard')).toEqual(new Set(['p', 'q', 'w', 'm']));
  },
);
