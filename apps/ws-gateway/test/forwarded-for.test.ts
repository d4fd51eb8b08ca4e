import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { createGateway } from '../src/gateway.ts';
import type { GatewayOptions } from '../src/options.ts';
import { LoopbackHub } from '../testing/loopback-hub.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';

let started: StartedGateway;

afterEach(async () => {
  await started.gateway.close();
});

/** Connects with these header lines, and returns the address that the gateway gives the client. */
async function addressOf(...lines: string[]): Promise<string | undefined> {
  const client = await RawClient.upgraded(started.port, lines);
  const address = started.gateway.connections().at(-1)?.address;
  client.socket.destroy();
  await untilTurn(() => started.gateway.connections().length === 0);
  return address;
}

const PATHS: readonly [string, Partial<GatewayOptions>][] = [
  ['with fast paths', { fastPaths: true }],
  ['without them', { fastPaths: false }],
];

describe.each(PATHS)('X-Forwarded-For, %s', (_, paths) => {
  test('from a trusted proxy names the client, one line or several', async () => {
    started = await startGateway({ ...paths, trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
    expect(await addressOf('X-Forwarded-For: 203.0.113.7')).toBe('203.0.113.7');
    expect(await addressOf('x-forwarded-for: 198.51.100.1, 203.0.113.7, 10.0.0.2')).toBe('203.0.113.7');
    expect(await addressOf('X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 203.0.113.7')).toBe(
      '203.0.113.7',
    );
  });

  test('two clients behind one proxy have their own addresses', async () => {
    started = await startGateway({ ...paths, trustedProxies: ['127.0.0.1'] });
    const clients = [
      await RawClient.upgraded(started.port, ['X-Forwarded-For: 203.0.113.7']),
      await RawClient.upgraded(started.port, ['X-Forwarded-For: 203.0.113.8']),
    ];
    expect(started.gateway.connections().map(({ address }) => address)).toEqual([
      '203.0.113.7',
      '203.0.113.8',
    ]);
    for (const { socket } of clients) socket.destroy();
  });

  test('from others is ignored, and so is one that names no address', async () => {
    started = await startGateway({ ...paths, trustedProxies: ['10.0.0.0/8'] });
    expect(await addressOf('X-Forwarded-For: 203.0.113.7')).toBe('127.0.0.1');
    await started.gateway.close();
    started = await startGateway(paths);
    expect(await addressOf('X-Forwarded-For: 203.0.113.7')).toBe('127.0.0.1');
    await started.gateway.close();
    started = await startGateway({ ...paths, trustedProxies: ['127.0.0.1'] });
    expect(await addressOf('X-Forwarded-For: me')).toBe('127.0.0.1');
    expect(await addressOf()).toBe('127.0.0.1');
  });

  test('with 1,000 addresses is read from the right, as any other', async () => {
    started = await startGateway({ ...paths, trustedProxies: ['127.0.0.1'] });
    const spoofed = '10.1.1.1, '.repeat(1_000);
    expect(await addressOf(`X-Forwarded-For: ${spoofed}203.0.113.7`)).toBe('203.0.113.7');
  });

  test('is not read from bytes behind the request', async () => {
    started = await startGateway({ ...paths, trustedProxies: ['127.0.0.1'] });
    const client = new RawClient(started.port);
    client.write(handshake(['X-Forwarded-For: 203.0.113.7']), '\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n');
    await untilTurn(() => started.gateway.stats().accepted === 1);
    expect(started.gateway.connections()[0]?.address).toBe('203.0.113.7');
    client.socket.destroy();
  });
});

test.each(PATHS)('rejected handshakes count for the client behind the proxy, %s', async (_, paths) => {
  started = await startGateway({
    ...paths,
    trustedProxies: ['127.0.0.1'],
    handshakesPerSecond: 0.001,
    handshakesBurst: 2,
    allowedOrigins: ['https://good.example'],
  });
  const rejected = async (address: string): Promise<void> => {
    const client = new RawClient(started.port);
    client.write(handshake([`X-Forwarded-For: ${address}`]));
    await client.ended;
    expect(client.http).toMatch(/^HTTP\/1.1 (403|503) /);
  };
  // Two for their origin, two for the rate.
  for (const address of ['203.0.113.7', '203.0.113.8', '203.0.113.7', '203.0.113.7']) await rejected(address);
  expect(started.gateway.stats()).toMatchObject({
    handshakesRejected: { origin: 2, rate: 2 },
    rejectedAddresses: [
      { address: '203.0.113.7', rejected: 3 },
      { address: '203.0.113.8', rejected: 1 },
    ],
  });
});

test('a proxy that is neither an address nor a network is rejected at once', () => {
  expect(() => createGateway({ hub: new LoopbackHub(), trustedProxies: ['proxy.example'] })).toThrow(
    expect.objectContaining({ code: 'bad_option', option: 'trustedProxies' }),
  );
});
