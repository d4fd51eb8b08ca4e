import { randomUUID } from 'node:crypto';
import { listOption, type OptionsOf, textOption } from '@groupcast/options';
import { type Command, ConfigError } from '@groupcast/service';
import { SignJWT } from 'jose';
import { parseClaims } from '../auth/claims.ts';
import { TokenError } from '../auth/token-error.ts';
import type { GatewayConfig } from '../config.ts';
import { readSigningKey } from './signing-key.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const flags = {
  sub: textOption({ default: '', valueName: 'UID', describe: 'User id, which the token proves.' }),
  can: listOption({
    default: [],
    valueName: 'PATTERN=OPERATIONS',
    describe: "Permissions, such as 'chat:*=join,publish'; may be given several times.",
  }),
  join: listOption({
    default: [],
    valueName: 'GROUP',
    describe: 'Groups that the server joins when the client connects.',
  }),
  expiresIn: textOption({
    default: '1h',
    valueName: 'TIME',
    describe: 'Time until the token expires, such as 90s, 15m, 1h or 7d.',
    check: (text) => (secondsOf(text) > 0 ? undefined : 'a number above 0 and s, m, h or d, such as 15m'),
  }),
  kid: textOption({
    default: '',
    valueName: 'KID',
    describe:
      'Name of the private key of --token-key-file that signs the token. Default: a secret, or the first.',
  }),
};

export const genTokenCommand: Command<GatewayConfig, OptionsOf<typeof flags>> = {
  uses: ['tokenSecretFile', 'tokenKeyFile', 'tokenAudience', 'tokenIssuer'],
  flags,
  summary:
    'Print a token for development, signed with --token-secret-file or a private key of --token-key-file.',
  run: async (config, context) => {
    if (config.sub === '') throw new ConfigError(['--sub UID is missing: the user that the token is for.']);
    const [audience] = config.tokenAudience;
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      sub: config.sub,
      iat: now,
      exp: now + secondsOf(config.expiresIn),
      jti: randomUUID(),
      ...(audience === undefined ? {} : { aud: audience }),
      ...(config.tokenIssuer === '' ? {} : { iss: config.tokenIssuer }),
      groupcast: {
        can: Object.fromEntries(permissionsOf(config.can)),
        ...(config.join.length === 0 ? {} : { join: [...config.join] }),
      },
    };
    checkClaims(claims);
    const { key, algorithm, kid, warnings } = readSigningKey(config, config.kid);
    for (const warning of warnings) context.printError(`warning: ${warning}`);
    const header = { alg: algorithm, typ: 'JWT', ...(kid === undefined ? {} : { kid }) };
    context.print(await new SignJWT(claims).setProtectedHeader(header).sign(key));
    return 0;
  },
};

/** Makes the checks of a gateway, so that no token is made that every gateway rejects. */
function checkClaims(claims: object): void {
  try {
    parseClaims(claims);
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause;
    throw new ConfigError([cause.message], { cause });
  }
}

/** Returns 0 for a text that is no time. */
function secondsOf(text: string): number {
  const { count, unit } = /^(?<count>\d{1,9})(?<unit>[smhd])$/.exec(text)?.groups ?? {};
  return Number(count ?? 0) * (UNIT_SECONDS[unit ?? ''] ?? 0);
}

/**
 * Returns operations by pattern. A list was separated at its commas, so an item without `=` is a
 * further operation of the pattern before it.
 */
function permissionsOf(items: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const permissions = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const item of items) {
    const at = item.lastIndexOf('=');
    const pattern = item.slice(0, Math.max(at, 0));
    if (at >= 0) {
      current = permissions.get(pattern) ?? [];
      permissions.set(pattern, current);
    }
    if (current === undefined) {
      throw new ConfigError([
        `--can "${item}" has no operations. Write PATTERN=OPERATIONS, such as 'chat:*=join'.`,
      ]);
    }
    current.push(item.slice(at + 1));
  }
  return permissions;
}
