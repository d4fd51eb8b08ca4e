import { setTimeout as delay } from 'node:timers/promises';
import { type Conditions, type ProxyDirection, until } from '@groupcast/testkit';
import { WebSocket } from 'ws';
import { anyGateway, type Fault } from './fault.ts';

/** Resets (`rst`) or ends (`fin`) all links of a gateway to the hub. */
export function linkCut(how: 'rst' | 'fin' = 'rst'): Fault {
  const name = `link cut (${how})`;
  return {
    name,
    inject: async (context) => {
      const { link } = anyGateway(context);
      await until(() => link.connections > 0, 'a link to cut');
      const prove = context.log.addFault(name);
      const count = link.cut(how);
      if (count > 0) prove(`${count} links`);
    },
  };
}

/** Resets a link to the hub in the middle of its data. */
export function linkReset(): Fault {
  const name = 'link reset within a frame';
  return {
    name,
    inject: async (context) => {
      const { link } = anyGateway(context);
      const prove = context.log.addFault(name);
      const { resets } = link;
      // With slices, the sent bytes probably end within a frame.
      link.set({ sliceBytes: 7 });
      link.resetAfterBytes(context.random.between(100, 5_000));
      try {
        await until(() => link.resets > resets, 'the link to be reset');
        prove(`${link.passed('up') + link.passed('down')} bytes had passed`);
      } finally {
        link.set({});
      }
    },
  };
}

/**
 * Resets a client's connection in the middle of its data. The clients must connect through the
 * proxy.
 */
export function frontReset(): Fault {
  const name = 'client reset within a frame';
  return {
    name,
    inject: async (context) => {
      const { front } = anyGateway(context);
      const prove = context.log.addFault(name);
      const { resets } = front;
      front.set({ sliceBytes: 50 });
      front.resetAfterBytes(context.random.between(100, 5_000));
      await until(() => front.resets > resets, 'a client to be reset');
      prove(`${front.passed('up') + front.passed('down')} bytes had passed`);
      front.set({});
      await context.load.untilJoined();
    },
  };
}

/** Swallows all bytes between a gateway and the hub, or those in one direction, for `ms`. */
export function linkBlackhole(ms: number, directions: readonly ProxyDirection[] = ['up', 'down']): Fault {
  const name = `link dead (${directions.join(' and ')})`;
  return {
    name,
    inject: async (context) => {
      const { link } = anyGateway(context);
      const prove = context.log.addFault(name);
      link.blackhole(directions);
      const over = delay(ms);
      try {
        await until(() => link.heldBytes > 0, 'bytes in the blackhole');
        prove(`for ${ms} ms; at first ${link.heldBytes} bytes were held`);
        await over;
      } finally {
        link.heal();
      }
    },
  };
}

/** Degrades the network between a gateway and the hub for `ms`. */
export function linkBad(ms: number, conditions: Conditions): Fault {
  const name = `bad link ${JSON.stringify(conditions)}`;
  return {
    name,
    inject: async (context) => {
      const { link } = anyGateway(context);
      const before = link.passed('up') + link.passed('down');
      const prove = context.log.addFault(name);
      link.set(conditions);
      try {
        await delay(ms);
        // The hub may be down for another reason, which delays this fault.
        const bytes = await until(
          () => link.passed('up') + link.passed('down') - before,
          'bytes on a bad link',
        );
        prove(`${bytes} bytes passed`);
      } finally {
        link.set({});
      }
    },
  };
}

/** Cuts the connections of a share of the clients without a close frame. */
export function clientsCut(share: number): Fault {
  const name = 'clients cut';
  return {
    name,
    inject: async ({ load, log, random }) => {
      const prove = log.addFault(name);
      const victims = random.sample(load.members, Math.ceil(load.members.length * share));
      const sockets = victims.flatMap(({ tap }) => [...tap.sockets]);
      for (const socket of sockets) socket.terminate();
      await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED), 'the cuts');
      if (sockets.length > 0) prove(`${sockets.length} connections`);
      await load.untilJoined();
    },
  };
}
