import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listensOn } from './listens-on.ts';

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  test('this process listens on its own port, and its parent does not', () => {
    expect(listensOn(process.pid, port)).toBe(true);
    expect(listensOn(process.ppid, port)).toBe(false);
  });

  test('a port counts no more once it is closed', async () => {
    const other = createServer().listen(0, '::1');
    await once(other, 'listening');
    const { port: otherPort } = other.address() as AddressInfo;
    expect(listensOn(process.pid, otherPort)).toBe(true);
    other.close();
    await once(other, 'close');
    expect(listensOn(process.pid, otherPort)).toBe(false);
  });

  test('a missing process throws', () => {
    expect(() => listensOn(2 ** 22 + 1, port)).toThrow('ENOENT');
  });
});
