import { expect, test, vi } from 'vitest';
import { announceStart } from './announce-start.ts';

const HUB = { worker: 'ChannelHub', listen: 'frame://127.0.0.1:2206', processes: 1 };
const GATEWAY = {
  worker: 'WsGateway',
  listen: 'ws://0.0.0.0:1234',
  processes: 4,
  problem: { status: 'NO HUB', sentence: 'The hub cannot be reached.' },
};

function announced(logFormat: 'auto' | 'json' | 'pretty'): {
  readonly printed: readonly string[];
  readonly logged: readonly unknown[];
} {
  const printed: string[] = [];
  const logged: unknown[] = [];
  const log = {
    info: vi.fn((...line: unknown[]) => void logged.push(['info', ...line])),
    warn: vi.fn((...line: unknown[]) => void logged.push(['warn', ...line])),
  };
  announceStart([HUB, GATEWAY], { print: (text) => printed.push(text), log, logFormat });
  return { printed, logged };
}

test.each(['auto', 'pretty'] as const)('%s is a table that says what is missing', (logFormat) => {
  const { printed, logged } = announced(logFormat);
  expect(logged).toEqual([]);
  const lines = printed.join('\n').split('\n');
  expect(lines[1]).toMatch(/ChannelHub .*\[OK\]$/);
  expect(lines[2]).toMatch(/WsGateway .*\[NO HUB\]$/);
  expect(lines.slice(3)).toEqual(['The hub cannot be reached.', 'Press Ctrl-C to quit.']);
});

test('json is a log line for each service, and nothing on stdout', () => {
  const { printed, logged } = announced('json');
  expect(printed).toEqual([]);
  const { listen } = HUB;
  const warning = { service: 'WsGateway', listen: GATEWAY.listen, processes: 4, status: 'NO HUB' };
  expect(logged).toEqual([
    ['info', { service: 'ChannelHub', listen, processes: 1, status: 'OK' }, 'started'],
    ['warn', warning, 'started, but cannot serve yet: The hub cannot be reached.'],
  ]);
});
