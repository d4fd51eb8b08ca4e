import { describe, expect, test } from 'vitest';
import { certificateWarnings, expiredCertificates } from './certificate-times.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

describe('what is said about times', () => {
  const fromMs = Date.parse('2026-01-01T00:00:00Z');
  const untilMs = Date.parse('2027-01-01T12:30:00Z');
  const times = [{ flag: '--cert', path: '/etc/cert.pem', fromMs, untilMs }];

  test.each([
    ['a year before', fromMs - 1, [], ['is valid from 2026-01-01T00:00:00Z on only. Check the clock']],
    ['from the first moment', fromMs, [], []],
    ['31 days before the end', untilMs - 31 * DAY_MS, [], []],
    ['30 days before the end', untilMs - 30 * DAY_MS, [], ['expires on 2027-01-01T12:30:00Z. Renew it']],
    ['in the last moment', untilMs - 1, [], ['expires on 2027-01-01T12:30:00Z. Renew it']],
  ])('%s', (_name, nowMs, expired, warnings) => {
    expect(expiredCertificates(times, nowMs)).toEqual(expired);
    const expected = warnings.map((text) => expect.stringContaining(`--cert /etc/cert.pem ${text}`));
    expect(certificateWarnings(times, nowMs)).toEqual(expected);
  });

  test('at the end', () => {
    const expired = ['--cert /etc/cert.pem has expired on 2027-01-01T12:30:00Z. Renew it.'];
    expect(expiredCertificates(times, untilMs)).toEqual(expired);
  });
});
