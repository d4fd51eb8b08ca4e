import { expect, test } from 'vitest';
import { runRounds } from './rounds.ts';
import type { Candidate, Scenario } from './scenario.ts';

async function turnsOf(fresh: boolean, rounds: number): Promise<string[]> {
  const turns: string[] = [];
  const candidates = ['one', 'other'].map((name): Candidate => {
    const measure = async (): Promise<{ cpu: number }> => {
      turns.push(name);
      return { cpu: turns.length };
    };
    return { name, version: '', start: async () => ({ measure, stop: async () => {} }) };
  });
  const scenario: Scenario = {
    name: 'turns',
    title: 'Turns',
    metric: 'cpu',
    baseline: 'one',
    checks: [],
    fresh,
    candidates,
  };
  const { rows } = await runRounds(scenario, rounds, () => {});
  expect(rows.map((row) => row.rounds.length)).toEqual([rounds, rounds]);
  return turns;
}

test('every other round goes backwards', async () => {
  expect(await turnsOf(true, 3)).toEqual(['one', 'other', 'other', 'one', 'one', 'other']);
});

test('where servers keep running, a round that does not count comes first', async () => {
  expect(await turnsOf(false, 2)).toEqual(['other', 'one', 'one', 'other', 'other', 'one']);
});
