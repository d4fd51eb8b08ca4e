import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFrame, encodeText } from '@groupcast/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { createHub } from '../src/hub.ts';
import { startHub, until } from '../testing/start-hub.ts';

function socketFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-hub-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'hub.sock');
}

async function connectTo(path: string): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

test('peers of a Unix socket need no proof, and may speak PHP', async () => {
  const path = socketFile();
  const { hub } = await startHub({ secret: 'a secret', unixSocket: { path, mode: 0o600 } });
  const php = await connectTo(path);
  const subscribe = 'a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1:{i:0;s:1:"c";}}';
  php.write(encodeFrame(encodeText(subscribe)));
  await until(() => hub.stats().subscriptions === 1);
  const json = await connectTo(path);
  json.write(encodeFrame(encodeText('{"type":"publish","channels":["c"],"data":"hi"}')));
  const [chunk] = (await once(php, 'data')) as [Buffer];
  expect(chunk.subarray(4).toString()).toBe(
    'a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"c";s:4:"data";s:2:"hi";}',
  );
  expect(hub.peers().map(({ address, dialect }) => [address, dialect])).toEqual([
    ['unix socket', 'php'],
    ['unix socket', 'json'],
  ]);
});

test('peers of a Unix socket must authenticate if local peers are not trusted, so that PHP is rejected', async () => {
  const path = socketFile();
  const { hub, lines } = await startHub({
    secret: 'a secret',
    localTrust: false,
    unixSocket: { path, mode: 0o600 },
  });
  const php = await connectTo(path);
  php.write(encodeFrame(encodeText('a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:1:{i:0;s:1:"c";}}')));
  await until(() => hub.stats().closed.untrusted === 1);
  const json = await connectTo(path);
  json.write(encodeFrame(encodeText('{"type":"publish","channels":["c"],"data":"hi"}')));
  const [chunk] = (await once(json, 'data')) as [Buffer];
  expect(chunk.subarray(4).toString()).toContain('"code":"unauthorized"');
  await until(() => hub.stats().closed.unauthorized === 1);
  expect(hub.stats()).toMatchObject({ subscriptions: 0, published: 0 });
  expect(lines).toContainEqual(
    expect.objectContaining({
      fields: expect.objectContaining({ detail: expect.stringContaining('--no-local-trust') }),
    }),
  );
});

test('the file has the configured permissions, and is removed with the hub', async () => {
  for (const mode of [0o600, 0o660]) {
    const path = socketFile();
    const { hub } = await startHub({ unixSocket: { path, mode } });
    expect(statSync(path).mode & 0o777).toBe(mode);
    await hub.close();
    expect(existsSync(path)).toBe(false);
  }
});

test('a socket file that a process left behind is replaced', async () => {
  const path = socketFile();
  // Renamed, so that the closing server does not remove it: it stays as after a kill of its
  // process.
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  renameSync(path, `${path}.kept`);
  await new Promise((resolve) => dead.close(resolve));
  renameSync(`${path}.kept`, path);
  const { hub } = await startHub({ unixSocket: { path, mode: 0o600 } });
  await connectTo(path);
  await until(() => hub.stats().connectedPeers === 1);
});

test('a socket in use, and a file that is not a socket, are left alone', async () => {
  const path = socketFile();
  const { hub } = await startHub({ unixSocket: { path, mode: 0o600 } });
  const second = createHub({ port: 0, unixSocket: { path, mode: 0o600 } });
  await expect(second.listen()).rejects.toMatchObject({ code: 'socket_in_use' });
  await second.close();
  await connectTo(path);
  await until(() => hub.stats().connectedPeers === 1);

  const file = `${path}.txt`;
  writeFileSync(file, 'kept');
  const third = createHub({ port: 0, unixSocket: { path: file, mode: 0o600 } });
  await expect(third.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await third.close();
  expect(existsSync(file)).toBe(true);
});
