import { until } from '@groupcast/testkit';
import type { Fault } from './fault.ts';

/** Resets all connections of PHP workers to the hub. Over when all are subscribed again. */
export function phpCut(): Fault {
  const name = 'PHP workers cut';
  return {
    name,
    inject: async ({ log, php }) => {
      if (php === undefined) throw new Error('This run has no PHP workers.');
      const prove = log.addFault(name);
      const count = php.link.cut('rst');
      await until(() => php.peers.every(({ isSubscribed }) => !isSubscribed), 'the cuts');
      if (count > 0) prove(`${count} connections`);
      await php.untilSubscribed();
    },
  };
}
