import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startHub } from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DevPorts, freePorts, Groupcast, portFlags } from './groupcast.ts';

let groupcast: Groupcast;
let ports: DevPorts;
let servers: Server[];
beforeEach(async () => {
  groupcast = new Groupcast();
  ports = await freePorts();
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await groupcast.remove();
});

async function listen(server: Server, port = 0): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Runs the doctor, and returns its lines by the names of the checks. */
async function examine(
  flags: readonly string[],
  under: readonly string[] = [],
): Promise<{ code: number | null; lines: ReadonlyMap<string, string>; stdout: string }> {
  const doctor = groupcast.start(['doctor', ...portFlags(ports), ...flags], under);
  const { code } = await doctor.finished;
  expect(doctor.stderr).toBe('');
  const rows = doctor.stdout
    .split('\n')
    .map((line) => /^(\w+) +(\S.*?\S) {2,}(.*)$|^(\w+) +(certificates) (.*)$/.exec(line));
  const lines = new Map(
    rows.flatMap((row) =>
      row === null ? [] : [[row[2] ?? row[5] ?? '', `${row[1] ?? row[4]}: ${row[3] ?? row[6]}`] as const],
    ),
  );
  return { code, lines, stdout: doctor.stdout };
}

test('finds no fault beside a development system, and names its processes', async () => {
  const dev = groupcast.start(portFlags(ports));
  await dev.waitForLine(/^Only this machine/);
  const { code, lines, stdout } = await examine([`--url=ws://127.0.0.1:${ports.port}`]);
  expect(stdout).toContain('\nNo faults.\n');
  expect(code).toBe(0);
  expect(lines.get(`port ${ports.port}`)).toMatch(/^ok: In use by groupcast-gateway, process \d+\.$/);
  expect(lines.get(`port ${ports.hubAdminPort}`)).toMatch(/^ok: In use by groupcast-hub, process \d+\.$/);
  expect(lines.get('hub')).toBe(`ok: The hub at 127.0.0.1:${ports.hubPort} accepts this machine.`);
  expect(lines.get('proxy')).toMatch(/^ok: .* passes WebSocket handshakes\.$/);
  expect(lines.get('state')).toMatch(/^ok/);
});

test('names eight faults of a machine, and what to do about each', async () => {
  // Another program on the port of the gateway.
  await listen(createServer(), ports.port);
  // The state of `groupcast dev` cannot be kept.
  writeFileSync(join(groupcast.folder, '.groupcast'), '');
  // A proxy that drops the header Upgrade, on a machine whose clock is an hour ahead.
  const proxy = createServer((_request, response) => {
    response.setHeader('Date', new Date(Date.now() + 3_600_000).toUTCString());
    response.writeHead(426).end();
  });
  proxy.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n'),
  );
  const proxyPort = await listen(proxy);

  const { code, lines, stdout } = await examine(
    [`--hub=127.0.0.1:${ports.hubPort}`, `--url=ws://127.0.0.1:${proxyPort}/ws`],
    ['prlimit', '--nofile=256'],
  );
  expect(code).toBe(1);
  expect(lines.get('open files')).toMatch(/^fault: At most 256 .*ulimit -n/);
  expect(lines.get(`port ${ports.port}`)).toMatch(/^fault: .* is in use by another process.*--port\.$/);
  expect(lines.get('state')).toMatch(/^fault: \.groupcast is no folder\. Remove it.*--dir\.$/);
  expect(lines.get('hub')).toMatch(/^fault: The hub at .* cannot be used: .*--hub\.$/);
  expect(lines.get('clock')).toMatch(/^fault: This clock is 3[56]\d\d s behind .*timedatectl/);
  expect(lines.get('proxy')).toMatch(/^fault: The proxy drops "Upgrade" .*deploy\//);
  expect(stdout).toContain('\nFaults: 6.\n');

  writeFileSync(join(groupcast.folder, 'secret'), 'short\n', { mode: 0o600 });
  const files = await examine(['--secret-file=secret', '--hub-tls', '--hub-tls-ca-file=missing.pem']);
  expect(files.code).toBe(1);
  expect(files.stdout).toMatch(/^fault +files +--secret-file secret has less than 16 bytes/m);
  expect(files.stdout).toMatch(/^fault +files +--hub-tls-ca-file missing\.pem cannot be read/m);
});

test('says that the hub has another secret', async () => {
  const secret = join(groupcast.folder, 'secret');
  const other = join(groupcast.folder, 'other');
  writeFileSync(secret, 'a secret of the hub for its peers\n', { mode: 0o600 });
  writeFileSync(other, 'another secret than that of the hub\n', { mode: 0o600 });
  const hub = await startHub({ secretFile: secret, localTrust: false });
  const { code, lines } = await examine([`--hub=${hub.address}`, `--secret-file=${other}`]);
  expect(code).toBe(1);
  expect(lines.get('hub')).toMatch(/^fault: .*secret/);
});
