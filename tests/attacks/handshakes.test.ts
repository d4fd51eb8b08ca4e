import { killAll, startGateway, startHub } from '@groupcast/testkit';
import { afterEach, test } from 'vitest';
import { Attacker } from './attacker.ts';
import { membersOf } from './bystanders.ts';
import { expectUndisturbed } from './rounds.ts';

afterEach(killAll);

test('handshakes whose header is 4 KB of white space slow down no other client', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address });
  const attacker = await Attacker.start('slowHandshakes', gateway.port);
  await expectUndisturbed(await membersOf(gateway.url), attacker);
});
