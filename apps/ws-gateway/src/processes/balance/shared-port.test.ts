import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ListenAddress } from '../../accept/listen-addresses.ts';
import { SharedPort } from './shared-port.ts';

const servers: Server[] = [];
const ports: SharedPort[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const port of ports.splice(0)) port.close();
});

function at(port: number, host = '127.0.0.1'): ListenAddress {
  return { host, port, isProxied: false };
}

async function open(port = 0): Promise<SharedPort> {
  const shared = await SharedPort.open(at(port));
  ports.push(shared);
  return shared;
}

async function listen(port: number | object): Promise<Server> {
  const server = createServer();
  servers.push(server);
  server.listen(typeof port === 'number' ? { host: '127.0.0.1', port } : port);
  await once(server, 'listening');
  return server;
}

test('Node still makes the handle, and a server takes connections from it', async () => {
  const { handle } = await open();
  expect(handle).toBeDefined();
  const server = await listen(handle!);
  const { address, port } = server.address() as AddressInfo;
  expect(address).toBe('127.0.0.1');
  const accepted = once(server, 'connection');
  const client = connect(port, address);
  await Promise.all([accepted, once(client, 'connect')]);
  client.destroy();
});

test('an address in use, an unavailable address, and a name', async () => {
  const used = (await listen(0)).address() as AddressInfo;
  await expect(open(used.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(SharedPort.open(at(0, '192.0.2.1'))).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  const named = await SharedPort.open(at(0, 'localhost'));
  ports.push(named);
  expect(named.handle).toBeDefined();
});

test("without the internals of Node there is no handle; their failure is the system's error", async () => {
  const without = await SharedPort.open(at(0), {});
  expect(without.handle).toBeUndefined();
  without.close();
  const failed = SharedPort.open(at(0), { _createServerHandle: () => -98 });
  await expect(failed).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' });
});
