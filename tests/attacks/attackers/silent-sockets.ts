import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { atRate, type PrepareAttack } from './attack.ts';

const OPENED_TOGETHER = 10;
const TICK_MS = 10;
/** Rate at which closed sockets are replaced. */
const OPENS_PER_SECOND = 200;

/** `COUNT HOST`: COUNT connections that never send; a closed one is replaced. */
export const silentSockets: PrepareAttack =
  ({ port, more: [count, host = '127.0.0.1'] }) =>
  async (did, over) => {
    const sockets = new Set<Socket>();
    const open = (): void => {
      if (sockets.size >= Number(count)) return;
      const socket = connect({ host, port });
      sockets.add(socket);
      did('opened');
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    };
    // Open them before the measurement: a burst of connects is another attack.
    for (let opened = 0; opened < Number(count); opened += OPENED_TOGETHER) {
      for (let one = 0; one < OPENED_TOGETHER; one++) open();
      await delay(TICK_MS);
    }
    over.addEventListener('abort', () => {
      for (const socket of sockets) socket.destroy();
    });
    return atRate(OPENS_PER_SECOND, over, open);
  };
