import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectValid } from './expect-valid.ts';
import { linkCut, linkReset } from './inject/network-faults.ts';
import { hubRestart, workerKill } from './inject/process-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import { Tokens } from './load/tokens.ts';
import { run } from './run.ts';

const SECRET = 'a secret of the gateways and the load';

const FAULTS = [workerKill(), linkCut('rst'), hubRestart(), linkReset(), workerKill()];

const MEMBERS_OF_SERVER = 20;

let folder: string;
let tokenSecretFile: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-faults-'));
  tokenSecretFile = join(folder, 'token-secret');
  writeFileSync(tokenSecretFile, SECRET, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

test('clients with tokens recover their groups, also those that the server joins by a token, through the death of workers, a hub restart and lost links, while their tokens expire', async () => {
  const tokens = new Tokens(SECRET);
  const load = { ...SMALL_LOAD, tokens: tokens.issue, membersOfServer: MEMBERS_OF_SERVER };
  const report = await run(
    async (context) => {
      for (const fault of FAULTS) await fault.inject(context);
    },
    { load, calmMs: 1_000 },
    { gateways: 2, gateway: { auth: 'token', tokenSecretFile, drainSeconds: 1 } },
  );
  expectValid(report);
  const { counts } = report.verdict;
  expect([...counts.faults.values()].reduce((sum, count) => sum + count, 0)).toBe(FAULTS.length);
  const recovered = report.log.events.filter(
    (event) => event.type === 'join' && event.recovered === true && isOfServer(event.member),
  );
  expect(recovered.length).toBeGreaterThan(0);
  // Clients have needed more than one each.
  expect(tokens.issued).toBeGreaterThan(2 * SMALL_LOAD.members);
});

/** Returns whether the server joins the groups of a member. */
function isOfServer(member: string): boolean {
  return member.startsWith('m') && Number(member.slice(1)) < MEMBERS_OF_SERVER;
}
