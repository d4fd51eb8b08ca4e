import { describe, expect, test } from 'vitest';
import { Random } from '../random.ts';
import { checkHistory } from './check-history.ts';
import type { HistoryEvent } from './history-event.ts';
import { EPHEMERAL_MUTATIONS } from './testing/ephemeral-mutations.ts';
import { ModelHistory } from './testing/model-history.ts';
import { MUTATIONS } from './testing/mutations.ts';
import { heard, PHP_MUTATIONS } from './testing/php-mutations.ts';

const SEEDS = Array.from({ length: 5 }, (_, index) => index + 1);

function cleanHistory(seed: number): HistoryEvent[] {
  return [...new ModelHistory(new Random(seed)).events];
}

describe('a faultless run', () => {
  test.each(SEEDS)('with seed %i is valid', (seed) => {
    const verdict = checkHistory(cleanHistory(seed));
    expect(verdict.violations).toEqual([]);
    expect(verdict.unknownWhy).toEqual([]);
    expect(verdict.valid).toBe(true);
  });

  test('is counted', () => {
    const { counts } = checkHistory(cleanHistory(1));
    expect(counts.invoked).toBe(counts.acknowledged + counts.refused + counts.unknown);
    expect(counts.refused).toBeGreaterThan(0);
    expect(counts.unknown).toBeGreaterThan(0);
    expect(counts.received).toBeGreaterThan(0);
    expect(counts.recovered).toBeGreaterThan(0);
    expect(counts.firstJoins).toBe(14);
    expect(counts.ephemeral).toBeGreaterThan(0);
    expect(counts.reads).toBeGreaterThan(0);
    expect(counts.notRecovered.get('epoch_changed')).toBeGreaterThan(0);
    expect(counts.faults).toEqual(new Map([['hub killed', 1]]));
    expect(counts.unanswered).toBe(0);
    expect(counts.heard).toBeGreaterThan(0);
    expect([...counts.losses.keys()]).toEqual(['not connected']);
  });
});

describe.each([...MUTATIONS, ...EPHEMERAL_MUTATIONS, ...PHP_MUTATIONS])('$name', ({ code, apply }) => {
  test.each(SEEDS)(`is ${code}, seed %i`, (seed) => {
    const events = cleanHistory(seed);
    apply(events, new Random(seed + 1_000));
    const verdict = checkHistory(events);
    expect(verdict.valid).toBe(false);
    expect([...verdict.violationsByCode.keys()]).toContain(code);
    expect(verdict.violations.map((violation) => violation.code)).toContain(code);
  });
});

describe('a run that proves nothing is unknown', () => {
  function unknownWhy(events: HistoryEvent[]): string {
    const verdict = checkHistory(events);
    expect(verdict.valid).toBe('unknown');
    return verdict.unknownWhy.join('; ');
  }

  test('when it is empty', () => {
    expect(unknownWhy([])).toMatch('nothing was acknowledged; nothing was received');
  });

  test('without acknowledgements', () => {
    expect(unknownWhy(cleanHistory(1).filter(({ type }) => type !== 'ok'))).toMatch(
      'nothing was acknowledged',
    );
  });

  test('without receipts', () => {
    const events = cleanHistory(1).filter(({ type }) => type === 'inv' || type === 'ok' || type === 'fail');
    expect(unknownWhy(events)).toMatch('nothing was received');
  });

  test('with a fault that did not happen', () => {
    expect(unknownWhy(cleanHistory(1).filter(({ type }) => type !== 'proof'))).toBe(
      'the fault "hub killed" did not happen',
    );
  });

  test('without a last message', () => {
    expect(unknownWhy(cleanHistory(1).filter(({ type }) => type !== 'marker'))).toMatch(
      'has no last message',
    );
  });

  test('with a member that missed a last message without an acknowledgement', () => {
    const events = cleanHistory(1).filter((event) => event.type !== 'ok' || !event.id.startsWith('marker'));
    const last = events.findLastIndex(({ type }) => type === 'recv');
    events.splice(last, 1);
    expect(unknownWhy(events)).toMatch('has not heard the last message of');
  });
});

describe('messages that PHP workers miss', () => {
  test('while they are connected are counted apart', () => {
    const events = cleanHistory(1);
    const before = checkHistory(events).counts.losses.get('not connected');
    const end = events.findIndex((event) => event.type === 'php-lost' && event.peer === 'php0');
    const ofPeer = heard(events.slice(0, end)).filter(({ peer, group }) => peer === 'php0' && group === 'a');
    const acknowledged = new Set(events.flatMap((event) => (event.type === 'ok' ? [event.id] : [])));
    const lost = ofPeer.slice(1, -1).find(({ id }) => acknowledged.has(id))!;
    events.splice(events.indexOf(lost), 1);
    const { losses } = checkHistory(events).counts;
    expect(losses.get('while connected')).toBe(1);
    expect(losses.get('not connected')).toBe(before);
  });

  test('like all other members are counted apart', () => {
    const events = cleanHistory(1);
    const added = { id: 'w9:1', publisher: 'w9', group: 'a', seq: 1, once: true };
    events.push({ at: Infinity, type: 'inv', ...added });
    events.push({ at: Infinity, type: 'info', id: added.id, code: 'no_answers' });
    expect(checkHistory(events).counts.losses.get('never delivered')).toBe(1);
  });

  test('at the end make the run unknown', () => {
    const events = cleanHistory(1);
    events.splice(events.indexOf(heard(events).at(-1)!), 1);
    const { valid, unknownWhy } = checkHistory(events);
    expect(valid).toBe('unknown');
    expect(unknownWhy).toEqual(['php1 has not heard the last message of c']);
  });
});

test('the number of printed violations is limited, and all are counted', () => {
  const events = cleanHistory(1).map((event) =>
    event.type === 'recv' ? { ...event, intact: false } : event,
  );
  const verdict = checkHistory(events);
  const received = events.filter(({ type }) => type === 'recv').length;
  expect(verdict.violationsByCode).toEqual(new Map([['C1', received]]));
  expect(verdict.violations).toHaveLength(20);
});
