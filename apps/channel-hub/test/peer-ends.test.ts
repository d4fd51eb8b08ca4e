import { connect as connectTls } from 'node:tls';
import { encodeFrame, encodeText } from '@groupcast/protocol';
import { CERTIFICATES, RawSocket } from '@groupcast/testkit';
import { describe, expect, test } from 'vitest';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const PUBLISH = encodeFrame(encodeText('{"type":"publish","channels":["c"],"data":"hi"}'));

test('the ordinary end of a peer has one reason and is no warning, whether it is a FIN or a RST', async () => {
  const { hub, port, lines } = await startHub();
  for (const end of ['end', 'reset'] as const) {
    const peer = await RawSocket.open({ port });
    peer.write(PUBLISH);
    await until(() => hub.stats().connectedPeers === 1 && hub.peers()[0]?.state === 'open');
    peer[end]();
    await until(() => hub.stats().connectedPeers === 0);
  }
  expect(hub.stats().closed).toEqual({ peer_closed: 2 });
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['info', 'Peer connected'],
    ['info', 'Peer disconnected'],
    ['info', 'Peer connected'],
    ['info', 'Peer disconnected'],
  ]);
});

test('a peer that speaks TLS to a plain port is named as such', async () => {
  const { hub, port, lines } = await startHub();
  const peer = connectTls({ host: '127.0.0.1', port });
  peer.on('error', () => {});
  await new Promise((resolve) => peer.once('close', resolve));
  await closedAs(hub, 'bad_length');
  expect(lines).toMatchObject([
    {
      level: 'warn',
      fields: { reason: 'bad_length', detail: expect.stringContaining('speaks TLS, and this end does not') },
    },
  ]);
});

describe('the TLS port', () => {
  test.each([
    ['frames', PUBLISH, 'The peer does not speak TLS. Turn TLS on at both ends or at neither.'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'The peer speaks HTTP without TLS. Check the port.'],
  ])('names a peer that speaks plain %s, with its address', async (_name, bytes, detail) => {
    const { hub, port, lines } = await startHub({ tls: CERTIFICATES.hub });
    const peer = await RawSocket.open({ port });
    peer.write(bytes);
    await peer.closed;
    await closedAs(hub, 'tls_rejected');
    const fields = { address: '127.0.0.1', detail };
    expect(lines).toEqual([{ level: 'warn', fields, message: 'Peer rejected in the TLS handshake' }]);
  });

  test.each([
    ['no certificate', {}, /certificate/],
    ['a certificate of another authority', CERTIFICATES.hub, /^Its certificate is not accepted: [A-Z_]+$/],
  ])('names a peer with %s, with its address', async (_name, certificate, detail) => {
    const tls = { ...CERTIFICATES.hub, ca: CERTIFICATES.peer.cert };
    const { hub, port, lines } = await startHub({ tls });
    const peer = connectTls({ host: '127.0.0.1', port, ca: CERTIFICATES.ca, ...certificate });
    peer.on('error', () => {});
    await closedAs(hub, 'tls_rejected');
    const fields = { address: '127.0.0.1', detail: expect.stringMatching(detail) };
    expect(lines).toEqual([{ level: 'warn', fields, message: 'Peer rejected in the TLS handshake' }]);
  });

  test('does not warn of a peer that leaves in the handshake, and knows its address', async () => {
    const { hub, port, lines } = await startHub({ tls: CERTIFICATES.hub });
    for (const end of ['end', 'reset'] as const) {
      const peer = await RawSocket.open({ port });
      peer[end]();
      await peer.closed;
    }
    await closedAs(hub, 'peer_closed', 2);
    const line = {
      level: 'info',
      fields: { address: '127.0.0.1' },
      message: 'Peer closed the connection in the TLS handshake',
    };
    expect(lines).toEqual([line, line]);
  });

  test('closes without a line about peers in the handshake', async () => {
    const { hub, port, lines } = await startHub({ tls: CERTIFICATES.hub });
    const peer = await RawSocket.open({ port });
    const closed = hub.close();
    await peer.closed;
    await closed;
    expect(lines).toEqual([]);
  });
});
