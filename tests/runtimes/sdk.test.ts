import { killAll } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleScenarios } from './sdk/bundle-scenarios.ts';
import { Director } from './sdk/director.ts';
import { HOSTS, type Host } from './sdk/hosts.ts';
import { SCENARIOS } from './sdk/scenarios.ts';

/** Milliseconds until the runtime must have ended, after the last client was closed. */
const EXIT_MS_MAX = 5_000;

/** Hosts of this run, by name. Default: all. */
const only = process.env['SDK_HOSTS']?.split(',');
const hosts = Object.entries(HOSTS).filter(([name]) => only?.includes(name) ?? true);

let director: Director;
let bundles: Awaited<ReturnType<typeof bundleScenarios>>;

beforeAll(async () => {
  [bundles, director] = await Promise.all([bundleScenarios(), Director.start()]);
});
afterAll(async () => {
  await director?.close();
  await bundles?.remove();
  await killAll();
});

describe.each(hosts)('the SDK on %s', (_name, start) => {
  let host: Host;
  beforeAll(async () => {
    host = await start(bundles);
  });
  afterAll(() => host?.close());

  test.each(Object.keys(SCENARIOS))('%s', async (scenario) => {
    const results = await director.play(scenario);
    const exit = host.play(director.controlUrl).then((ended) => {
      results.end(`the runtime ended with ${ended.code}: ${ended.output}`);
      return ended;
    });
    expect(await results.next()).toEqual({ passed: true });
    const deadline = new Promise((resolve) => {
      setTimeout(resolve, EXIT_MS_MAX, `It is still running after ${EXIT_MS_MAX} ms.`).unref();
    });
    expect(await Promise.race([exit, deadline])).toEqual({ code: 0, output: '' });
  });
});
