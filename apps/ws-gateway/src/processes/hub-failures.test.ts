import { SILENT_LOG } from '@groupcast/service';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { HubFailures } from './hub-failures.ts';

const AWAY = { code: 'hub_unavailable', message: 'The hub at h:1 cannot be reached.' };
const WRONG = { code: 'unauthorized', message: 'The hub at h:1 has another secret.' };

const log = { ...SILENT_LOG, warn: vi.fn() };
const [one, two] = [{}, {}];
let failures: HubFailures;

beforeEach(() => {
  log.warn.mockClear();
  failures = new HubFailures(log);
});

function lines(): readonly string[] {
  return log.warn.mock.calls.map(([, message]) => String(message));
}

function passSeconds(seconds: number): void {
  for (let second = 0; second < seconds; second++) failures.tick();
}

describe('failures to reach the hub', () => {
  test('of all workers are one line, then one a minute with their number', () => {
    for (let attempt = 0; attempt < 30; attempt++) {
      failures.failed(one, AWAY);
      failures.failed(two, AWAY);
    }
    expect(lines()).toEqual([AWAY.message]);
    passSeconds(59);
    expect(lines()).toHaveLength(1);
    passSeconds(1);
    expect(lines()[1]).toBe(`${AWAY.message} Failed 59 more times in the last 60 s.`);
    expect(log.warn.mock.calls[1]?.[0]).toEqual({ code: AWAY.code, attempts: 59, workers: 2 });
    failures.failed(one, AWAY);
    passSeconds(60);
    expect(lines()[2]).toContain('Failed 1 more times');
  });

  test('with another reason are a line of their own', () => {
    failures.failed(one, AWAY);
    failures.failed(one, WRONG);
    failures.failed(one, AWAY);
    failures.failed(one, WRONG);
    expect(lines()).toEqual([AWAY.message, WRONG.message]);
    expect(failures.problem).toEqual(WRONG);
  });

  test('are forgotten when all workers are connected or gone: the next outage is logged at once', () => {
    failures.failed(one, AWAY);
    failures.failed(two, AWAY);
    failures.settled(one);
    failures.failed(one, AWAY);
    expect(lines()).toHaveLength(1);
    expect(failures.problem).toEqual(AWAY);
    failures.settled(one);
    failures.settled(two);
    expect(failures.problem).toBeUndefined();
    passSeconds(60);
    failures.failed(one, AWAY);
    expect(lines()).toEqual([AWAY.message, AWAY.message]);
  });

  test('with ever new reasons are limited', () => {
    for (let attempt = 0; attempt < 100; attempt++) {
      failures.failed(one, { code: 'bad_frame', message: `Reason ${attempt}.` });
    }
    expect(lines()).toHaveLength(16);
    passSeconds(60);
    expect(lines()).toHaveLength(17);
    expect(log.warn.mock.calls[16]?.[0]).toMatchObject({ attempts: 84 });
    passSeconds(60);
    failures.failed(one, AWAY);
    expect(lines().at(-1)).toBe(AWAY.message);
  });
});
