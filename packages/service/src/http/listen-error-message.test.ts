import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenErrorMessage } from './listen-error-message.ts';

function failure(code: string): Error {
  return Object.assign(new Error(`listen ${code}`), { code });
}

test.each([
  ['EADDRINUSE', 'in use by another process', '--port'],
  ['EACCES', 'Not allowed to listen', '--port'],
  ['EADDRNOTAVAIL', 'no such address', '--host'],
  ['ENOTFOUND', 'the name has no address', '--host'],
  ['EMFILE', 'listen EMFILE', '--port'],
])('%s: one line with the address, the port, what is wrong, and which flag fixes it', (code, wrong, flag) => {
  const message = listenErrorMessage(failure(code), '10.0.0.1', 80, '--port');
  for (const part of ['10.0.0.1:80', wrong, flag]) expect(message).toContain(part);
  expect(message).not.toContain('\n');
});

test('the flags of another port, and a value that is not an error', () => {
  expect(listenErrorMessage(failure('EADDRNOTAVAIL'), '::1', 1, '--admin-port')).toContain('[::1]:1: this');
  expect(listenErrorMessage(failure('EADDRNOTAVAIL'), '::1', 1, '--admin-port')).toContain('--admin-host');
  expect(listenErrorMessage('odd', 'h', 1, '--port')).toContain('(odd)');
});

test('a port that is really in use', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await new Promise((resolve) =>
    createServer().once('error', resolve).listen(port, '127.0.0.1'),
  );
  expect(listenErrorMessage(error, '127.0.0.1', port, '--port')).toContain(`127.0.0.1:${port} is in use`);
  await new Promise((resolve) => holder.close(resolve));
});
