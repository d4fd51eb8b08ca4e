import { ConfigError, flagName, readConfig } from '@groupcast/service';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { GATEWAY_OPTIONS } from '../config.ts';
import { completeOptions } from '../options.ts';
import { prepareGateway } from './prepare.ts';
import { program } from './program.ts';

const FRACTION_DIGITS = 3;

/**
 * Values of a numeric option as texts, from what it says is allowed; with a fraction where one is.
 */
function textsOf(allowed: string): fc.Arbitrary<string> {
  const [, noun, min, max] = /^(an integer|a number) from (\S+) to (\S+)$/.exec(allowed) ?? [];
  const integers = fc.integer({ min: Math.ceil(Number(min)), max: Number(max) }).map(String);
  if (noun === 'an integer') return integers;
  const scale = 10 ** FRACTION_DIGITS;
  const range = { min: Math.ceil(Number(min) * scale), max: Number(max) * scale };
  return fc.oneof(
    integers,
    fc.integer(range).map((thousandths) => (thousandths / scale).toFixed(FRACTION_DIGITS)),
  );
}

const numeric = Object.entries(GATEWAY_OPTIONS).filter(([, { valueName }]) => valueName === 'NUMBER');

const flags = fc.oneof(
  ...numeric.map(([key, { allowed }]) => textsOf(allowed).map((text) => `--${flagName(key)}=${text}`)),
);

/** Whether a worker would be started with these options. One that cannot run with them throws. */
function wouldStart(...argv: readonly string[]): boolean {
  try {
    const { config } = readConfig(program, { argv, env: {}, readFile: () => '' });
    const { gateway } = prepareGateway(config).settings.worker;
    completeOptions({ ...gateway, hub: new LoopbackHub() });
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

test('a fraction of a millisecond is rounded', () => {
  expect(wouldStart('--slow-seconds=16.1')).toBe(true);
});

test('workers run with every number that the configuration accepts', () => {
  fc.assert(
    fc.property(flags, (flag) => {
      wouldStart(flag);
    }),
    { numRuns: 500, examples: [['--slow-seconds=16.1'], ['--heartbeat-seconds=1.001']] },
  );
});
