import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { readToEnd, socketPair } from '../../testing/socket-pair.ts';
import { Link } from './link.ts';
import type { LinkReceiver } from './receiver.ts';

const FRAME = Buffer.from('0000000641aa', 'hex');
const TURN_WORK = 1024 * 1024;

/** Returns work for each frame that fills a turn. */
class BusyReceiver implements LinkReceiver {
  readonly events: string[] = [];
  onSpan = (_count: number): void => {};

  receiveSpan(): number {
    this.events.push('frame');
    this.onSpan(this.events.length);
    return TURN_WORK;
  }

  closed(end: string): void {
    this.events.push(end);
  }
}

describe.each([true, false])(
  'a peer that sends many frames and ends at once, with direct sockets: %s',
  (directSockets) => {
    async function pair() {
      const { near, far } = await socketPair();
      const receiver = new BusyReceiver();
      const link = new Link(near, receiver, { directSockets });
      const { events } = receiver;
      const untilOver = async (): Promise<void> => {
        while (events.at(-1) === 'frame' || events.length === 0) await new Promise(setImmediate);
      };
      return { near, far, receiver, link, events, untilOver };
    }

    test('all frames are received, over as many turns as necessary', async () => {
      const { far, events, untilOver } = await pair();
      far.resume();
      far.end(Buffer.concat(Array.from({ length: 50 }, () => FRAME)));
      await untilOver();
      expect(events).toEqual([...Array.from({ length: 50 }, () => 'frame'), 'peer_closed']);
    });

    test('all frames are received although the link is paused at the end', async () => {
      const { near, far, receiver, link, events, untilOver } = await pair();
      far.resume();
      receiver.onSpan = (count) => {
        if (count === 1) link.pause();
      };
      const hasEnded = once(near, 'end');
      far.end(Buffer.concat([FRAME, FRAME]));
      await hasEnded;
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      expect(events).toEqual(['frame']);
      link.resume();
      await untilOver();
      expect(events).toEqual(['frame', 'frame', 'peer_closed']);
    });

    test('nothing is received after the end of a link whose socket failed', async () => {
      const { near, far, receiver, link, events } = await pair();
      far.resume();
      receiver.onSpan = () => link.pause();
      far.write(Buffer.concat([FRAME, FRAME]));
      while (events.length === 0) await new Promise(setImmediate);
      near.destroy(new Error('socket failed'));
      while (events.length === 1) await new Promise(setImmediate);
      link.resume();
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      expect(events).toEqual(['frame', 'socket_error']);
    });

    test('the peer gets what is sent meanwhile', async () => {
      const { far, receiver, link, untilOver } = await pair();
      receiver.onSpan = () => link.send(FRAME);
      const answers = readToEnd(far);
      far.end(Buffer.concat([FRAME, FRAME, FRAME]));
      expect(Buffer.from(await answers)).toEqual(Buffer.concat([FRAME, FRAME, FRAME]));
      await untilOver();
    });

    test('the link and its socket are closed afterwards', async () => {
      const { near, far, events } = await pair();
      far.resume();
      far.end(FRAME);
      await once(near, 'close');
      expect(events).toEqual(['frame', 'peer_closed']);
    });
  },
);
