import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signToken } from '@groupcast/testkit/in-process';
import { type Flags, gatewayWith } from './groupcast.ts';
import type { System } from './system.ts';

/** Users with a token each: as many as the largest load has connections. */
const USERS = 30_000;

const LIFE_SECONDS = 86_400;

/** Two workers whose clients need tokens with this algorithm, and tokens for their load. */
export function withTokens(root: string, name: string, algorithm: 'HS256' | 'ES256'): System {
  const { start: _, ...about } = gatewayWith(root, name, {});
  return {
    ...about,
    start: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'groupcast-bench-'));
      const remove = (): void => rmSync(folder, { recursive: true, force: true });
      try {
        const tokensFile = join(folder, 'tokens');
        const flags = writeFiles(folder, tokensFile, algorithm);
        const served = await gatewayWith(root, name, { '--auth': 'token', ...flags }).start();
        const stop = async (): Promise<void> => {
          await served.stop();
          remove();
        };
        return { ...served, stop, loadArgs: ['--tokens-file', tokensFile] };
      } catch (error) {
        remove();
        throw error;
      }
    },
  };
}

/** Writes a key and tokens that it has signed. Returns the flags of a gateway with the key. */
function writeFiles(folder: string, tokensFile: string, algorithm: 'HS256' | 'ES256'): Flags {
  const keyFile = join(folder, 'key');
  const exp = Math.floor(Date.now() / 1_000) + LIFE_SECONDS;
  const groupcast = { can: { '*': ['join', 'history', 'publish'] }, info: { name: 'A user of the load' } };
  const secret = randomBytes(32).toString('base64url');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = algorithm === 'HS256' ? secret : privateKey;
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  writeFileSync(keyFile, algorithm === 'HS256' ? secret : pem, { mode: 0o600 });
  const tokens = Array.from({ length: USERS }, (_, at) =>
    signToken({ sub: `user-${at}`, jti: `token-${at}`, exp, groupcast }, { key }),
  );
  writeFileSync(tokensFile, tokens.join('\n'), { mode: 0o600 });
  return algorithm === 'HS256' ? { '--token-secret-file': keyFile } : { '--token-key-file': keyFile };
}
