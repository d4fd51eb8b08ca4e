import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunningGateway } from './running-gateway.ts';

let server: Server;
let admin: { adminHost: string; adminPort: number };
let stats: object;

beforeEach(async () => {
  stats = { service: 'groupcast-gateway', pid: process.pid };
  server = createServer((_request, response) => response.end(JSON.stringify(stats)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  admin = { adminHost: '127.0.0.1', adminPort: (server.address() as AddressInfo).port };
});
afterEach(() => {
  vi.restoreAllMocks();
  server.close();
});

test('the process that listens on the admin port is signalled, and watched until it is gone', async () => {
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
  const { gateway, stats: found } = await RunningGateway.find(admin);
  expect(found).toEqual(stats);
  gateway.signal('SIGHUP');
  expect(kill.mock.calls).toEqual([[process.pid, 'SIGHUP']]);
  expect(await gateway.stats()).toEqual(stats);
  stats = { ...stats, pid: process.pid + 1 };
  expect(await gateway.stats()).toBeUndefined();
  server.close();
  expect(await gateway.stats()).toBeUndefined();
});

test('an address of another machine is not contacted', async () => {
  await expect(RunningGateway.find({ ...admin, adminHost: '192.0.2.1' })).rejects.toThrow(
    '--admin-host 192.0.2.1 is not an address of this machine: run this command where the gateway runs.',
  );
});

test.each([undefined, 'all', 0, -1, 1.5])('%s is an invalid pid', async (pid) => {
  stats = { service: 'groupcast-gateway', pid };
  await expect(RunningGateway.find(admin)).rejects.toMatchObject({ code: 'bad_answer' });
});

test.skipIf(process.platform !== 'linux')('the stats on the port cannot name another process', async () => {
  const kill = vi.spyOn(process, 'kill');
  stats = { service: 'groupcast-gateway', pid: process.ppid };
  await expect(RunningGateway.find(admin)).rejects.toThrow(
    `names process ${process.ppid}, which does not listen there: if the gateway runs in a container`,
  );
  expect(kill).not.toHaveBeenCalled();
});

test('a process of another user: the error says what to do', async () => {
  const { gateway } = await RunningGateway.find(admin);
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw new Error('kill EPERM');
  });
  expect(() => gateway.signal('SIGTERM')).toThrow(
    `Process ${process.pid} cannot be signalled (kill EPERM): run this command as the user of the gateway, on its machine.`,
  );
});
