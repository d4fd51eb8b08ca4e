import { choiceOption, flagOption, listOption, type OptionsOf, textOption } from '@groupcast/options';
import { isLoopbackHost } from '@groupcast/service';
import { TOKEN_SECRETS_MAX } from './token-options.ts';

/** Options of operators for the identity of clients. */
export const TOKEN_FLAGS = {
  auth: choiceOption({
    choices: ['none', 'token', 'app'],
    default: 'none',
    describe: 'Proof of identity that clients need: none, or a token (JWT). app comes with a later version.',
  }),
  tokenSecretFile: listOption({
    default: [],
    valueName: 'FILE',
    describe:
      'Files with secrets that sign and check tokens (HS256, HS384, HS512), 32 bytes or more; two at most.',
    check: (files) =>
      files.length <= TOKEN_SECRETS_MAX ? undefined : `at most ${TOKEN_SECRETS_MAX} files, of two secrets`,
  }),
  tokenKeyFile: listOption({
    default: [],
    valueName: 'FILE',
    describe: 'Files with public keys that check tokens: PEM, JWK or a JWK set; 16 keys at most.',
  }),
  tokenJwksUrl: textOption({
    default: '',
    valueName: 'URL',
    describe: 'URL of the public keys (JWKS) of an identity provider: https, or http to a loopback address.',
    check: (url) =>
      url === '' || isKeysUrl(url)
        ? undefined
        : 'an https URL, or an http URL of a loopback address, without a user or password',
  }),
  tokenAudience: listOption({
    default: [],
    valueName: 'TEXT',
    describe: 'Audiences of this gateway: a token needs one of them in aud. Default: aud is not checked.',
  }),
  tokenIssuer: textOption({
    default: '',
    valueName: 'TEXT',
    describe: 'Issuer that a token needs in iss. Default: iss is not checked.',
  }),
  tokenWithoutExp: flagOption({
    default: false,
    describe: 'Accept tokens without exp, which never expire. Only a ban or another key ends them.',
  }),
};

export type TokenFlags = OptionsOf<typeof TOKEN_FLAGS>;

interface OtherFlags {
  readonly anonymous: string;
  readonly authCookie: string;
  readonly connectionsPerUid: number;
}

/** Returns one sentence for each flag of tokens that another mode ignores. */
export function ignoredTokenFlags(config: TokenFlags & OtherFlags): readonly string[] {
  if (config.auth === 'app') return ['--auth app comes with a later version. Use --auth token, or none.'];
  if (config.auth === 'token') return [];
  return flagsOfTokens(config).map((flag) => `${flag} needs --auth token. Give both.`);
}

/** Checks the options of tokens against each other. Returns one sentence for each problem. */
export function tokenProblems(config: TokenFlags): readonly string[] {
  const { tokenSecretFile, tokenKeyFile, tokenJwksUrl, tokenAudience } = config;
  const problems: string[] = [];
  if (tokenSecretFile.length + tokenKeyFile.length === 0 && tokenJwksUrl === '') {
    problems.push('Tokens need a key: give --token-secret-file, --token-key-file or --token-jwks-url.');
  }
  if (tokenJwksUrl !== '' && tokenAudience.length === 0) {
    problems.push(
      '--token-jwks-url needs --token-audience: the provider makes tokens for other services, too. Give the audience of yours.',
    );
  }
  return problems;
}

/** Returns the flags that are given and matter with tokens only. */
function flagsOfTokens(config: TokenFlags & OtherFlags): readonly string[] {
  const given = {
    '--auth-cookie': config.authCookie !== '',
    '--anonymous': config.anonymous !== 'deny',
    '--connections-per-uid': config.connectionsPerUid > 0,
    '--token-secret-file': config.tokenSecretFile.length > 0,
    '--token-key-file': config.tokenKeyFile.length > 0,
    '--token-jwks-url': config.tokenJwksUrl !== '',
    '--token-audience': config.tokenAudience.length > 0,
    '--token-issuer': config.tokenIssuer !== '',
    '--token-without-exp': config.tokenWithoutExp,
  };
  return Object.entries(given).flatMap(([flag, isGiven]) => (isGiven ? [flag] : []));
}

function isKeysUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(host));
}
