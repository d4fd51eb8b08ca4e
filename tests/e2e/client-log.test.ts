import { killAll, RawSocket, startGateway, startHub, TestClient, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

afterEach(killAll);

/** Messages of the lines about clients, which have these fields. */
const CLIENT_LINE = /"msg":"(client |handshake )/;

function clientLines(stderr: string): readonly Record<string, unknown>[] {
  return stderr
    .split('\n')
    .filter((line) => CLIENT_LINE.test(line))
    .map((line) => JSON.parse(line));
}

async function visit(url: string, port: number): Promise<void> {
  const client = await TestClient.open(url);
  client.sendCommand({ cmd: 'add_group', group_id: 'röom' });
  client.sendCommand({ cmd: 'leave_group', group_id: 'röom' });
  client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'a secret text' });
  client.close();
  await client.closed;
  const stranger = await RawSocket.open({ port });
  stranger.write(Buffer.from('no HTTP at all\r\n\r\n'));
  await stranger.closed;
}

test('--log-level debug tells of clients: connect, join, leave, close with its reason, rejected handshake', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, logLevel: 'debug' });
  await visit(gateway.url, gateway.port);
  await gateway.process.waitForLine(/handshake rejected/);
  await until(
    () => clientLines(gateway.process.stderr).length,
    'the lines about the client',
    (count) => count === 5,
  );
  const lines = clientLines(gateway.process.stderr);
  const clientId = lines[0]?.['clientId'];
  const address = '127.0.0.1';
  expect(clientId).toEqual(expect.any(String));
  expect(lines).toMatchObject([
    { msg: 'client connected', clientId, address, protocol: 'plain' },
    { msg: 'client joined', clientId, group: 'röom' },
    { msg: 'client left', clientId, group: 'röom' },
    { msg: 'client closed', clientId, address, reason: 'by_client' },
    { msg: 'handshake rejected', address, reason: 'http' },
  ]);
  expect(gateway.process.stderr).not.toContain('a secret text');
});

test('the default level has no line about ordinary clients', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address });
  await visit(gateway.url, gateway.port);
  await gateway.stop();
  expect(clientLines(gateway.process.stderr)).toEqual([]);
});
