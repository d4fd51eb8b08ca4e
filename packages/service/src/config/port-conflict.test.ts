import { expect, test } from 'vitest';
import { portConflict } from './port-conflict.ts';

test.each([
  ['the same address', '127.0.0.1', '127.0.0.1', true],
  ['all addresses and one of them', '0.0.0.0', '127.0.0.1', true],
  ['one address and all of them', '10.0.0.5', '::', true],
  ['all addresses of IPv4 and one of IPv6', '0.0.0.0', '::1', false],
  ['all addresses and a name', '0.0.0.0', 'localhost', true],
  ['all addresses, twice', '0.0.0.0', '::', true],
  ['two addresses', '10.0.0.5', '127.0.0.1', false],
])('one port twice, on %s', (_name, host, adminHost, isConflict) => {
  const problem = portConflict({ host, port: 7, adminHost, adminPort: 7 });
  expect(problem).toBe(
    isConflict ? '--port and --admin-port are both 7. Choose another one for one of them.' : undefined,
  );
});

test('two ports, and two free ones', () => {
  const host = { host: '127.0.0.1', adminHost: '127.0.0.1' };
  expect(portConflict({ ...host, port: 7, adminPort: 8 })).toBeUndefined();
  expect(portConflict({ ...host, port: 0, adminPort: 0 })).toBeUndefined();
});
