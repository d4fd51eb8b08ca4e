import { X509Certificate } from 'node:crypto';
import { CERTIFICATES } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';
import type { PreparedAccess } from '../../channel/hub-access.ts';
import { checkCertificates } from './certificates.ts';
import { checkClock } from './clock.ts';
import { findingOf } from './proxy.ts';
import { checkNode, checkOpenFiles } from './runtime.ts';

const NOW_MS = Date.parse('2027-03-01T00:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1_000;

test.each([
  ['v20.20.2', 'ok'],
  ['v20.9.0', 'fault'],
])('Node %s: %s', (version, state) => {
  expect(checkNode(version).state).toBe(state);
});

test.each([
  [Number.POSITIVE_INFINITY, 'ok'],
  [65_536, 'ok'],
  [1_024, 'warning'],
  [1_023, 'fault'],
])('%d open files: %s', (max, state) => {
  expect(checkOpenFiles(max).state).toBe(state);
});

describe('the clock', () => {
  test.each([
    ['alone', NOW_MS, undefined, 'ok', /^2027-03-01T00:00:00\.000Z\.$/],
    ['before this program was made', 0, undefined, 'fault', /1970-01-01/],
    ['30 s behind', NOW_MS, NOW_MS + 30_000, 'ok', /within 30 s/],
    ['31 s behind', NOW_MS, NOW_MS + 31_000, 'fault', /31 s behind that of the server/],
    ['31 s ahead', NOW_MS, NOW_MS - 31_000, 'fault', /31 s ahead of that of the server/],
  ])('%s', (_name, nowMs, remoteMs, state, text) => {
    expect(checkClock(nowMs, remoteMs)).toEqual({ state, check: 'clock', text: expect.stringMatching(text) });
  });
});

describe('certificates', () => {
  const { ca, peer, hub } = CERTIFICATES;
  const until = Date.parse(new X509Certificate(peer.cert).validTo);
  const from = Date.parse(new X509Certificate(ca).validFrom);
  const access = (tls: object): PreparedAccess => ({
    address: '',
    client: { tls },
    certificates: [],
    warnings: [],
  });

  test.each([
    ['valid ones', { ca, cert: peer.cert }, until - 31 * DAY_MS, ['ok', 'ok']],
    ['ones that end soon', { ca, cert: peer.cert }, until - 29 * DAY_MS, ['warning', 'warning']],
    ['expired ones', { ca, cert: peer.cert }, until + DAY_MS, ['fault', 'fault']],
    ['ones of the future', { ca, cert: peer.cert }, from - 365 * DAY_MS, ['fault', 'fault']],
    ['none', {}, NOW_MS, ['skipped']],
    [
      'one of another authority',
      { ca: peer.cert, cert: hub.cert },
      until - 31 * DAY_MS,
      ['ok', 'ok', 'warning'],
    ],
  ])('%s', (_name, tls, nowMs, states) => {
    expect(checkCertificates(access(tls), nowMs).map(({ state }) => state)).toEqual(states);
  });
});

test.each([
  [101, { 'sec-websocket-protocol': 'groupcast.v1' }, 'ok', /passes WebSocket/],
  [101, {}, 'fault', /drops "Sec-WebSocket-Protocol"/],
  [426, {}, 'fault', /drops "Upgrade"/],
  [200, {}, 'fault', /drops "Upgrade"/],
  [
    301,
    { location: 'https://a.test/ws/\u001b[2J' },
    'fault',
    /redirects to https:\/\/a\.test\/ws\/\\x1b\[2J /,
  ],
  [403, {}, 'fault', /--allowed-origins/],
  [404, {}, 'fault', /no such path/],
  [502, {}, 'fault', /cannot reach a gateway/],
  [500, {}, 'fault', /status 500 instead of 101/],
])('a proxy that answers %d with %j: %s', (status, headers, state, text) => {
  const finding = findingOf(new URL('http://a.test/ws'), { status, headers });
  expect(finding).toEqual({ state, check: 'proxy', text: expect.stringMatching(text) });
});
