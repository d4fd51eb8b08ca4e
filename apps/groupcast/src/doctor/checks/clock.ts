import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Finding } from '../finding.ts';

/** Time before which no clock can be right: this program is younger. */
const EARLIEST_MS = Date.parse('2026-01-01T00:00:00Z');

/**
 * Difference between two clocks above which certificates and tokens that were just made may be
 * invalid, in milliseconds.
 */
const SKEW_MAX_MS = 30_000;

const CHECK = 'clock';
const ADVICE = 'Synchronize the clock: "timedatectl set-ntp true", or run chrony.';

/** Compares the clock with those that no clock can be behind, and with that of `remoteMs`. */
export function checkClock(nowMs: number, remoteMs?: number): Finding {
  const now = new Date(nowMs).toISOString();
  if (nowMs < EARLIEST_MS) {
    return { state: 'fault', check: CHECK, text: `The clock says ${now}, which is past. ${ADVICE}` };
  }
  if (remoteMs === undefined) return { state: 'ok', check: CHECK, text: `${now}.` };
  const skewMs = remoteMs - nowMs;
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  if (Math.abs(skewMs) <= SKEW_MAX_MS) {
    return { state: 'ok', check: CHECK, text: `${now}, within ${seconds} s of the server at --url.` };
  }
  const text = `This clock is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} that of the server at --url. ${ADVICE}`;
  return { state: 'fault', check: CHECK, text };
}

/** Returns the time of an HTTP server in milliseconds, from its header `Date`. */
export function remoteTime(url: URL, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    // A failure is a finding of the check of the proxy.
    const sent = request(url, { method: 'HEAD', agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      const time = Date.parse(response.headers.date ?? '');
      resolve(Number.isNaN(time) ? undefined : time);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(undefined));
    sent.on('close', () => resolve(undefined));
    sent.end();
  });
}
