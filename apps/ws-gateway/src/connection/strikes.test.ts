import { expect, test } from 'vitest';
import { Strikes } from './strikes.ts';

const LIMIT = { strikesMax: 10, strikesMs: 10_000 };

test.each([
  ['bad_json', 'bad_request'],
  ['bad_field', 'bad_request'],
  ['unknown_command', 'bad_request'],
  ['invalid_group', 'bad_request'],
  ['group_limit', 'group_limit'],
  ['rate_limited', 'policy'],
] as const)('ten times %s in ten seconds close with %s', (code, reason) => {
  const strikes = new Strikes();
  for (let strike = 1; strike < 10; strike++) expect(strikes.add(code, LIMIT, strike * 1_000)).toBe('ok');
  expect(strikes.add(code, LIMIT, 11_000)).toBe(reason);
});

test('ten strikes in more than ten seconds close nothing', () => {
  const strikes = new Strikes();
  for (let strike = 0; strike < 100; strike++)
    expect(strikes.add('bad_json', LIMIT, strike * 1_112)).toBe('ok');
});

test('the last ten strikes count, not those of fixed windows', () => {
  const strikes = new Strikes();
  for (let strike = 0; strike < 5; strike++) expect(strikes.add('bad_json', LIMIT, 0)).toBe('ok');
  for (let strike = 0; strike < 9; strike++) expect(strikes.add('bad_json', LIMIT, 10_001)).toBe('ok');
  expect(strikes.add('bad_json', LIMIT, 10_001)).toBe('bad_request');
});

test('errors of the hub are no strikes', () => {
  const strikes = new Strikes();
  for (let strike = 0; strike < 100; strike++) {
    expect(strikes.add('hub_unavailable', LIMIT, 0)).toBe('ok');
    expect(strikes.add('outcome_unknown', LIMIT, 0)).toBe('ok');
  }
});
