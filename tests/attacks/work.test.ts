import { killAll, startGateway, startHub } from '@groupcast/testkit';
import { afterEach, test } from 'vitest';
import { Attacker } from './attacker.ts';
import { membersOf, returningMembersOf } from './bystanders.ts';
import { expectUndisturbed } from './rounds.ts';

afterEach(killAll);

test('commands of 63 KB with as many values in them as fit slow down no other client', async () => {
  const gateway = await startGateway({ hub: (await startHub()).address });
  const attacker = await Attacker.start('nestedPings', gateway.port);
  await expectUndisturbed(await membersOf(gateway.url), attacker);
});

test('a client that repeats a long recovery slows down no other client', async () => {
  const gateway = await startGateway({ hub: (await startHub()).address });
  const attacker = await Attacker.start('recoverAgain', gateway.port);
  await expectUndisturbed(await membersOf(gateway.url), attacker);
});

test('60 clients that join with a position and leave at once slow down no other recovery', async () => {
  const gateway = await startGateway({ hub: (await startHub()).address });
  const attacker = await Attacker.start('joinAndLeave', gateway.port);
  await expectUndisturbed(await returningMembersOf(gateway.url), attacker);
});
