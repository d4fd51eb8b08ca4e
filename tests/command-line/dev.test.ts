import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TestClient, type TestProcess } from '@groupcast/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DevPorts, freePorts, Groupcast, portFlags } from './groupcast.ts';

let groupcast: Groupcast;
let ports: DevPorts;
beforeEach(async () => {
  groupcast = new Groupcast();
  ports = await freePorts();
});
afterEach(() => groupcast.remove());

/** Starts the development system, and resolves when it has said so. */
async function startDev(...flags: string[]): Promise<TestProcess> {
  const dev = groupcast.start([...portFlags(ports), ...flags]);
  await dev.waitForLine(/^Only this machine|^Other devices/);
  return dev;
}

describe('groupcast without a command', () => {
  test('runs a hub and a gateway with one table, and ends gracefully with Ctrl-C', async () => {
    const dev = await startDev();
    expect(dev.stdout.split('\n')).toEqual([
      expect.stringMatching(/^user +worker +listen +processes +status$/),
      expect.stringMatching(new RegExp(`ChannelHub +frame://127\\.0\\.0\\.1:${ports.hubPort} +1 +\\[OK\\]`)),
      expect.stringMatching(new RegExp(`WsGateway +ws://127\\.0\\.0\\.1:${ports.port} +2 +\\[OK\\]`)),
      'Press Ctrl-C to quit. Start success.',
      '',
      `Open http://127.0.0.1:${ports.port} : its two panes send messages to each other.`,
      expect.stringContaining('console of that page'),
      expect.stringContaining('--host 0.0.0.0'),
      '',
    ]);
    const client = await TestClient.open(`ws://127.0.0.1:${ports.port}`);
    client.sendCommand({ cmd: 'add_group', group_id: '123', id: 1 });
    expect(await client.reply(1)).toMatchObject({ type: 'ack' });

    dev.kill('SIGINT');
    expect(await dev.finished).toEqual({ code: 0, signal: null });
    expect(groupcast.processes()).toEqual([]);
    expect(dev.stderr.match(/"msg":"drained"/g)).toHaveLength(2);
  });

  test('keeps its state in a folder that only the user reads and git ignores', async () => {
    const dev = await startDev();
    const state = join(groupcast.folder, '.groupcast');
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(state, '.gitignore'), 'utf8')).toBe('*\n');
    expect(JSON.parse(readFileSync(join(state, 'dev.json'), 'utf8'))).toEqual({ ...ports, pid: dev.pid });
    dev.kill('SIGTERM');
    await dev.finished;
    expect(existsSync(join(state, 'dev.json'))).toBe(false);
  });

  test('leaves no process when it is killed', async () => {
    const dev = await startDev();
    expect(groupcast.processes().length).toBeGreaterThan(4);
    dev.kill('SIGKILL');
    await groupcast.untilEmpty();
  });

  test.each(['port', 'adminPort', 'hubPort', 'hubAdminPort'] as const)(
    'ends with 1 and names the address when %s is busy',
    async (name) => {
      const busy = createServer().listen(ports[name], '127.0.0.1');
      try {
        const dev = groupcast.start(portFlags(ports));
        expect(await dev.finished).toEqual({ code: 1, signal: null });
        expect(dev.stderr).toContain(`127.0.0.1:${ports[name]} is in use by another process`);
        expect(dev.stdout).toBe('');
        expect(groupcast.processes()).toEqual([]);
      } finally {
        busy.close();
      }
    },
  );

  test('ends with 1 when one of its services ends', async () => {
    const dev = await startDev();
    const { pid } = await stats(ports.hubAdminPort);
    process.kill(pid, 'SIGKILL');
    expect(await dev.finished).toEqual({ code: 1, signal: null });
    expect(dev.stderr).toContain('groupcast-hub has ended with SIGKILL.');
    expect(groupcast.processes()).toEqual([]);
  });
});

async function stats(adminPort: number): Promise<{ pid: number }> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/stats`);
  return (await response.json()) as { pid: number };
}
