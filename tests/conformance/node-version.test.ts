import { killAll, launchGateway, launchHub } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

const PRETEND = `Object.defineProperty(process, 'version', { value: 'v20.9.0' })`;
const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PRETEND)}` };

afterEach(killAll);

test.each([
  ['hub', launchHub],
  ['gateway', launchGateway],
] as const)(
  'W30: the %s refuses to start on a Node with known vulnerabilities, and names the required version',
  async (_, launch) => {
    const app = await launch({}, { env });
    expect(await app.process.finished).toEqual({ code: 1, signal: null });
    expect(app.process.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(app.process.stderr).toContain('20.20.2');
  },
);
