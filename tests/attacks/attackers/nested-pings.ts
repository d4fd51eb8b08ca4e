import { atRate, type PrepareAttack } from './attack.ts';
import { HostileClient } from './client.ts';

const PER_SECOND = 300;
const TEXT_BYTES = 63_000;

/** Commands without effect, with as many values as fit. */
export const nestedPings: PrepareAttack =
  ({ port }) =>
  async (did, over) => {
    const [client] = await HostileClient.open(1, port, did, over);
    const text = `{"cmd":"ping","x":[${'[],'.repeat(TEXT_BYTES / 3)}[]]}`;
    return atRate(PER_SECOND, over, () => client?.send(text));
  };
