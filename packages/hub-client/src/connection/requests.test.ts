import { ProtocolError } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { type PendingRequest, Requests } from './requests.ts';

const LATE = 'The hub did not answer in time.';

/** Creates a request that appends its outcome to `outcomes`. */
function recording(outcomes: string[], name: string, deadlineMs?: number): PendingRequest {
  return {
    ...(deadlineMs !== undefined && { deadlineMs }),
    rejected: ({ code }) => outcomes.push(`${name} ${code}`),
    unanswered: (why) => outcomes.push(`${name} ${why}`),
  };
}

describe('Requests', () => {
  test('rejects the request with the number of the error, once', () => {
    const requests = new Requests(() => undefined);
    const outcomes: string[] = [];
    const first = recording(outcomes, 'first', 10);
    requests.add(1, first);
    requests.add(2, recording(outcomes, 'second', 10));
    expect(requests.find(1)).toBe(first);
    requests.reject(2, new ProtocolError('bad_channel'));
    requests.reject(2, new ProtocolError('bad_channel'));
    requests.reject(3, new ProtocolError('bad_channel'));
    expect(requests.find(2)).toBeUndefined();
    expect(outcomes).toEqual(['second bad_channel']);
    requests.endAll('Gone.');
    requests.endAll('Gone.');
    expect(outcomes).toEqual(['second bad_channel', 'first Gone.']);
  });

  test('expires the requests whose deadline has passed, oldest first, and keeps the others', () => {
    const requests = new Requests(() => undefined);
    const outcomes: string[] = [];
    requests.add(6, recording(outcomes, 'endless'));
    requests.add(7, recording(outcomes, 'a', 10));
    requests.add(8, recording(outcomes, 'b', 20));
    requests.add(9, recording(outcomes, 'c', 30));
    requests.expire(9);
    expect(outcomes).toEqual([]);
    requests.expire(20);
    expect(outcomes).toEqual([`a ${LATE}`, `b ${LATE}`]);
    expect([6, 7, 8, 9].map((number) => requests.find(number) !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
