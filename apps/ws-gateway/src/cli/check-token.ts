import { type OptionsOf, textOption } from '@groupcast/options';
import { limits } from '@groupcast/protocol';
import { type Command, ConfigError, printable, textTable } from '@groupcast/service';
import { decodeJwt } from 'jose';
import { type Claims, parseClaims } from '../auth/claims.ts';
import { TokenError } from '../auth/token-error.ts';
import { TokenVerifier } from '../auth/token-verifier.ts';
import type { GatewayConfig } from '../config.ts';
import { readTokenOptions } from './token-files.ts';

const flags = {
  token: textOption({
    default: '',
    valueName: 'TOKEN',
    describe: 'Token to check. Default: read from stdin, where the list of processes does not show it.',
  }),
};

/** Makes the command with a source of the text on stdin. */
export function checkTokenCommandOf(
  input: () => AsyncIterable<Uint8Array>,
): Command<GatewayConfig, OptionsOf<typeof flags>> {
  return {
    uses: [
      ...(['tokenSecretFile', 'tokenKeyFile', 'tokenJwksUrl', 'tokenAudience', 'tokenIssuer'] as const),
      ...(['tokenWithoutExp', 'groupsPerConnectionMax'] as const),
    ],
    flags,
    summary: 'Print what a token allows, or why a gateway with these options rejects it.',
    exitCodes: {
      0: 'The token is accepted.',
      1: 'It is rejected, or an option is invalid; stderr says why.',
    },
    run: async (config, context) => {
      const { tokens, warnings } = readTokenOptions({ ...config, auth: 'token' });
      for (const warning of warnings) context.printError(`warning: ${warning}`);
      const token = config.token === '' ? await readToken(input()) : config.token;
      const failures: Error[] = [];
      try {
        await new TokenVerifier(tokens, (error) => failures.push(error)).verify(token);
      } catch (error) {
        if (!(error instanceof TokenError)) throw error;
        context.printError(`rejected (${error.code}): ${error.message}`);
        for (const { message } of failures) context.printError(message);
        return 1;
      }
      context.print(tables(parseClaims(decodeJwt(token))));
      return 0;
    },
  };
}

export const checkTokenCommand = checkTokenCommandOf(() => process.stdin);

async function readToken(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    // White space around the token does not count.
    if (bytes > 2 * limits.TOKEN_BYTES_MAX) break;
  }
  const token = Buffer.concat(chunks).toString().trim();
  if (token === '') throw new ConfigError(['No token on stdin. Write: groupcast-gateway check-token < FILE']);
  return token;
}

function tables({ sub, exp, iat, jti, groupcast }: Claims): string {
  const { can, join = [], info, limits: given = {} } = groupcast;
  const rows = [
    ['uid', sub],
    ['expires', exp === undefined ? 'never' : dateOf(exp)],
    ['issued', iat === undefined ? undefined : dateOf(iat)],
    ['token id', jti],
    ['joins', join.join(', ')],
    ['info', info === undefined ? undefined : printable(JSON.stringify(info))],
    ['messages per second', given.messages_per_second],
    ['groups', given.groups],
  ];
  const permissions = Object.entries(can).map(([pattern, operations]) => [pattern, operations.join(', ')]);
  return [
    textTable(['claim', 'value'], rows),
    permissions.length === 0
      ? 'The token allows nothing by itself.'
      : textTable(['groups', 'operations'], permissions),
  ].join('\n\n');
}

function dateOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
