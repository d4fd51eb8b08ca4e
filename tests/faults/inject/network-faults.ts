import { setTimeout as delay } from 'node:timers/promises';
import { type Conditions, type ProxyDirection, until } from '@groupcast/testkit';
import { WebSocket } from 'ws';
import { anyGateway, type Fault } from './fault.ts';

/** All links of a gateway to the hub are broken off (`rst`) or ended in order (`fin`). */
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

/** A link to the hub is broken off in the middle of what it carries. */
export function linkReset(): Fault {
  const name = 'link reset within a frame';
  return {
    name,
    inject: async (context) => {
      const { link } = anyGateway(context);
      const prove = context.log.addFault(name);
      const { resets } = link;
      // Slices make it likely that what has left ends within a frame.
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

/** A client's connection is broken off in the middle of what it carries. The clients must be those that go through the proxy. */
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

/** The network between a gateway and the hub swallows everything, or all in one direction, for `ms`. */
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

/** The network between a gateway and the hub is bad in some way for `ms`. */
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
        // The hub may be away for another reason: then it is late for this.
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

/** Connections of a share of the clients are cut without a word. */
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
