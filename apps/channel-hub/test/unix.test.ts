import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodeFrame, encodeText } from '@groupcast/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHub } from '../src/hub.ts';
import { unixSocketError } from '../src/listen/unix-socket-error.ts';
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
  await expect(third.listen()).rejects.toMatchObject({ code: 'unix_socket' });
  await third.close();
  expect(existsSync(file)).toBe(true);
});

describe('a Unix socket that cannot be created', () => {
  /** Resolves with the error of a hub that listens at the path, and of the port that it left. */
  async function errorOf(path: string): Promise<Error & { code?: string }> {
    const hub = createHub({ port: 0, unixSocket: { path, mode: 0o600 } });
    const error = await hub.listen().then(
      () => new Error('The hub listens.'),
      (reason: Error) => reason,
    );
    await hub.close();
    return error;
  }

  test.each([
    [
      'in a missing folder',
      (path: string) => join(path, 'missing', 'hub.sock'),
      (path: string) => `there is no folder ${join(path, 'missing')}. Create it, or choose another path.`,
    ],
    [
      'in a folder that is a file',
      (path: string) => {
        writeFileSync(path, '');
        return join(path, 'hub.sock');
      },
      (path: string) => `there is no folder ${path}. Create it, or choose another path.`,
    ],
    [
      'where a file is',
      (path: string) => {
        writeFileSync(path, 'kept');
        return path;
      },
      () => 'a file that is not a socket is there. Remove it, or choose another path.',
    ],
    [
      'where a folder is',
      (path: string) => {
        mkdirSync(path);
        return path;
      },
      () => 'a folder is there. Choose another path.',
    ],
    [
      'where a symbolic link is',
      (path: string) => {
        symlinkSync(`${path}.elsewhere`, path);
        return path;
      },
      () => 'it is a symbolic link. Give the path of the socket itself.',
    ],
  ])('%s: the error says what is there', async (_name, prepare, reason) => {
    const base = socketFile();
    const path = prepare(base);
    const error = await errorOf(path);
    expect(error).toMatchObject({ code: 'unix_socket', cause: expect.any(Error) });
    expect(error.message).toBe(`Cannot create the Unix socket ${path}: ${reason(base)}`);
  });

  test('in a folder of another user: the error names the folder', () => {
    const error = unixSocketError(
      '/tmp/hub.sock',
      Object.assign(new Error('listen EACCES'), { code: 'EACCES' }),
    );
    expect(error.message).toContain('this user may not create files in /tmp.');
  });

  test('with a path that the system would cut off: nothing is created', () => {
    const path = join(dirname(socketFile()), 'a'.repeat(100), 'hub.sock');
    expect(() => createHub({ unixSocket: { path, mode: 0o600 } })).toThrow(/at most \d+ bytes, not \d+/);
  });
});
