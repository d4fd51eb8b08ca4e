import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { TokenError } from '../src/auth/token-error.ts';
import { allowedIdentity } from '../testing/fake-verifier.ts';
import { RawClient } from '../testing/raw-client.ts';
import { startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const CANARY = 'canary-7f3a';
const ORIGIN = 'https://app.example';

/** Tokens, which all have the canary, by the result of their check. */
const TOKENS = {
  good: `good.${CANARY}`,
  invalid: `invalid.${CANARY}`,
  expired: `expired.${CANARY}`,
  unavailable: `unavailable.${CANARY}`,
  defect: `defect.${CANARY}`,
  long: `${CANARY}.`.repeat(400),
} as const;

async function verifyToken(token: string): Promise<ReturnType<typeof allowedIdentity>> {
  const [code] = token.split('.');
  if (code === 'invalid' || code === 'expired' || code === 'unavailable')
    throw new TokenError(code, 'The token is not accepted.', { cause: new Error(token) });
  if (code === 'defect') throw new Error(`cannot parse ${token}`);
  return allowedIdentity('ann');
}

test('no token is in a log line, an event, a close reason, a response or the stats', async () => {
  const seen: unknown[] = [];
  const log = (fields: object, message: string): void => {
    seen.push([fields, message].map((part) => JSON.stringify(part, withErrors)));
  };
  const started = await startGateway({
    verifyToken,
    authCookie: 'sid',
    allowedOrigins: [ORIGIN],
    log: { isDebug: true, debug: log, info: log, warn: log, error: log },
  });
  const { gateway, url, port } = started;
  const clients: TestClient[] = [];
  const connect = (protocols: string[], headers: Record<string, string> = {}): TestClient => {
    const client = new TestClient(url, protocols, { origin: ORIGIN, headers });
    clients.push(client);
    return client;
  };
  for (const token of Object.values(TOKENS)) {
    connect(['groupcast.v1', `groupcast.token.${token}`]);
    connect(['groupcast.v1'], { cookie: `sid=${token}` });
    const auth = connect([]);
    auth.ws.on('open', () => auth.send({ cmd: 'auth', token, id: 1 }));
    const refresh = connect(['groupcast.v1', `groupcast.token.${TOKENS.good}`]);
    refresh.ws.on('open', () => refresh.send({ cmd: 'refresh', token, id: 2 }));
    for (const header of [
      `Authorization: Bearer ${token}`,
      `Sec-WebSocket-Protocol: groupcast.token.${token}`,
    ]) {
      const raw = new RawClient(port);
      raw.write(handshake([`Origin: ${ORIGIN}`, header]));
      while (raw.http === '') await raw.news();
      seen.push(raw.http);
      raw.socket.destroy();
    }
  }
  // Of each token: the first two, auth and refresh; of the long one auth and refresh are no tokens.
  await untilTurn(() => clients.filter(({ ws }) => ws.readyState === ws.CLOSED).length === 14);
  await untilTurn(() => clients.every(({ pending, ws }) => pending.length > 0 || ws.protocol === ''));
  seen.push(gateway.stats(), gateway.connections());
  const ended = clients.map((client) => client.ended);
  await gateway.close();
  seen.push(await Promise.all(ended), ...clients.map(({ pending }) => pending));
  expect(seen.length).toBeGreaterThan(50);
  expect(JSON.stringify(seen)).not.toContain(CANARY);
});

/** Replacer for JSON that keeps the text of errors, their stack and their causes. */
function withErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? [value.message, value.stack, value.cause] : value;
}
