import { expect, test } from 'vitest';
import { planProcesses, type Scenario, type Settings } from './plan.ts';

const plan = (scenario: Scenario, numbers: Partial<Settings>) =>
  planProcesses({
    scenario,
    protocol: 'groupcast',
    members: 6,
    groups: 1,
    bytes: 128,
    window: 1,
    rate: 200,
    warmupSeconds: 0,
    seconds: 1,
    messages: 0,
    processes: 1,
    connectingMax: 256,
    handshakeRate: 0,
    tokensFile: '',
    ...numbers,
  });

test('a fan-out has one publisher, and a message is complete when every process has it', () => {
  const [first, second, ...others] = plan('fanout', { processes: 2, members: 5, handshakeRate: 100 });
  expect(others).toEqual([]);
  const shared = { parts: 2, connectingMax: 128, handshakeRate: 50, tokensFile: '' };
  expect(first).toEqual({ index: 0, memberGroups: [0, 0, 0], publisherCount: 1, publishes: [0], ...shared });
  expect(second).toEqual({ index: 1, memberGroups: [0, 0], publisherCount: 0, publishes: [], ...shared });
});

test('each of many groups is in one process, with its publisher', () => {
  const [first, second] = plan('groups', { processes: 2, members: 6, groups: 3 });
  expect(first).toMatchObject({ memberGroups: [0, 2, 0, 2], publisherCount: 0, publishes: [0, 2], parts: 1 });
  expect(second).toMatchObject({ memberGroups: [1, 1], publisherCount: 0, publishes: [1], parts: 1 });
});

test('an even rate has a process that only sends, over as many connections as the rate needs', () => {
  const [first, pacer] = plan('latency', { groups: 3, rate: 501 });
  expect(first).toMatchObject({ memberGroups: [0, 1, 2, 0, 1, 2], publisherCount: 0, publishes: [] });
  expect(pacer).toMatchObject({ index: 1, memberGroups: [], publisherCount: 2, publishes: [0, 1, 2] });
});

test('idle connections are spread evenly, without a publisher', () => {
  const plans = plan('idle', { processes: 2, members: 7, groups: 2 });
  expect(plans.map(({ memberGroups }) => memberGroups.length)).toEqual([4, 3]);
  expect(plans.flatMap(({ publishes, publisherCount }) => [...publishes, publisherCount])).toEqual([0, 0]);
});
