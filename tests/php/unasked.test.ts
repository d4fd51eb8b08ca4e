import { HubClient } from '@groupcast/hub-client';
import { killAll, startHub, TcpProxy, until } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { Capture } from './capture.ts';
import { startPhp, withoutPhp } from './start-php.ts';

describe.skipIf(withoutPhp)('a PHP worker is sent nothing that it did not ask for', () => {
  afterAll(killAll);

  test('in any state, while the hub drains, and at its end', async () => {
    const hub = await startHub({ drainSeconds: 20 });
    const capture = new Capture();
    const proxy = await TcpProxy.start({
      target: hub.port,
      tap: (direction, bytes) => capture.pass(direction, bytes),
    });
    const worker = startPhp('tour', proxy.port, hub.port);
    // A peer that ignores the goodbye prolongs the drain.
    const deaf = await TcpProxy.start({ target: hub.port });
    const peer = new HubClient({ port: deaf.port });
    const opened = until(() => peer.state === 'open', 'a link to the hub');
    peer.connect();
    await opened;
    deaf.blackhole(['down']);

    await worker.waitForLine(/^toured$/);
    expect(capture.unasked).toEqual([]);
    expect(capture.items).toBe(25);

    const ended = hub.stop();
    await hub.process.waitForLine(/Peer asked to leave/);
    const { events } = capture;
    await until(() => capture.events > events + 20, 'events while the hub drains');
    peer.close();
    deaf.cut();
    expect(await ended).toMatchObject({ code: 0 });
    expect(await worker.finished, worker.stderr).toEqual({ code: 0, signal: null });
    expect(capture.unasked).toEqual([]);
    expect(capture.unfinishedBytes).toBe(0);
    await proxy.close();
    await deaf.close();
  });
});
