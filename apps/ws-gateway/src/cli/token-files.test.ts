import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, runCommand } from '@groupcast/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { prepareGateway } from './prepare.ts';
import { program } from './program.ts';

const SECRET = 'a secret of thirty-two bytes, no less';
const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function file(content: string | object, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return path;
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }).toString();
}

function jwk(key: KeyObject, more: object = {}): object {
  return { ...key.export({ format: 'jwk' }), ...more };
}

/** Returns what check-config writes to stderr: the problems of the flags, or warnings. */
async function check(...flags: string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const io = { print: () => {}, printError: (text: string) => void lines.push(text), readFile: () => '' };
  const code = await runCommand(program, ['check-config', ...flags], {}, io);
  expect(code).toBe(lines.some((line) => !line.startsWith('warning: ')) ? 1 : 0);
  return lines;
}

function prepared(...flags: string[]): ReturnType<typeof prepareGateway> {
  const argv = ['--auth=token', ...flags];
  return prepareGateway(readConfig(program, { argv, env: {}, readFile: () => '' }).config);
}

describe('check-config rejects', () => {
  test.each<[string, () => string[], RegExp]>([
    ['the mode of a later version', () => ['--auth=app'], /--auth app comes with a later version/],
    ['tokens without a key', () => ['--auth=token'], /Tokens need a key: give --token-secret-file/],
    [
      'a key URL without an audience',
      () => ['--auth=token', '--token-jwks-url=https://a.example/keys'],
      /--token-jwks-url needs --token-audience/,
    ],
    [
      'a key URL over HTTP',
      () => ['--auth=token', '--token-audience=a', '--token-jwks-url=http://a.example/keys'],
      /must be an https URL, or an http URL of a loopback address/,
    ],
    [
      'a key URL with a password',
      () => ['--auth=token', '--token-audience=a', '--token-jwks-url=https://u:p@a.example/keys'],
      /without a user or password/,
    ],
    [
      'a short secret',
      () => ['--auth=token', `--token-secret-file=${file(SECRET.slice(0, 31))}`],
      /--token-secret-file \S+ has less than 32 bytes/,
    ],
    [
      'a secret that other users may write',
      () => ['--auth=token', `--token-secret-file=${file(SECRET, 0o622)}`],
      /--token-secret-file \S+ can be written by other users/,
    ],
    [
      'a missing secret file',
      () => ['--auth=token', '--token-secret-file=/nowhere/secret'],
      /--token-secret-file \/nowhere\/secret cannot be read: ENOENT/,
    ],
    [
      'three secrets',
      () => ['--auth=token', '--token-secret-file=a,b,c'],
      /--token-secret-file.* must be at most 2 files/,
    ],
    [
      'a missing key file',
      () => ['--auth=token', '--token-key-file=/nowhere/key'],
      /--token-key-file \/nowhere\/key cannot be read: ENOENT/,
    ],
    [
      'a key that other users may write',
      () => ['--auth=token', `--token-key-file=${file(pem(EC.publicKey), 0o666)}`],
      /--token-key-file \S+ can be written by other users/,
    ],
    [
      'a short RSA key',
      () => [
        '--auth=token',
        `--token-key-file=${file(pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey))}`,
      ],
      /--token-key-file \S+ is an RSA key of 1024 bits. Use at least 2048 bits/,
    ],
    [
      'a symmetric key in a key file',
      () => ['--auth=token', `--token-key-file=${file({ kty: 'oct', k: 'c2VjcmV0' })}`],
      /--token-key-file \S+ is symmetric. Only secret files may have symmetric keys/,
    ],
    [
      'a curve without an algorithm',
      () => [
        '--auth=token',
        `--token-key-file=${file(pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey))}`,
      ],
      /has an unsupported type. Use RSA, EC with P-256 or P-384, or Ed25519/,
    ],
    [
      'a key of another use',
      () => ['--auth=token', `--token-key-file=${file(jwk(RSA.publicKey, { use: 'enc' }))}`],
      /is not for signatures: its use is not "sig"/,
    ],
    [
      'a key with the algorithm of another type',
      () => ['--auth=token', `--token-key-file=${file(jwk(RSA.publicKey, { alg: 'HS256' }))}`],
      /has another algorithm in alg than its type allows: RS256, PS256/,
    ],
    [
      'two keys with one kid',
      () => [
        '--auth=token',
        `--token-key-file=${file({ keys: [jwk(EC.publicKey, { kid: 'a' }), jwk(RSA.publicKey, { kid: 'a' })] })}`,
      ],
      /--token-key-file names two keys with the kid "a"/,
    ],
    [
      'more keys than a token may be tried with',
      () => {
        const keys = Array.from({ length: 17 }, (_, at) => jwk(EC.publicKey, { kid: `k${at}` }));
        return ['--auth=token', `--token-key-file=${file({ keys })}`];
      },
      /--token-key-file names 17 keys. Give at most 16/,
    ],
    [
      'a file that is no key',
      () => ['--auth=token', `--token-key-file=${file('hello')}`],
      /is not a key. Give a PEM file, a JWK or a JWK set/,
    ],
    [
      'a broken PEM file',
      () => ['--auth=token', `--token-key-file=${file('-----BEGIN PUBLIC KEY-----\nAAAA\n')}`],
      /cannot be used as a PEM key/,
    ],
  ])('%s', async (_name, flags, sentence) => {
    expect(await check(...flags())).toEqual([expect.stringMatching(sentence)]);
  });

  test.each([
    '--anonymous=namespace',
    '--connections-per-uid=1',
    '--token-secret-file=a',
    '--token-key-file=a',
    '--token-jwks-url=https://a.example/',
    '--token-audience=a',
    '--token-issuer=a',
    '--token-without-exp',
  ])('%s without tokens', async (flag) => {
    const [name] = flag.split('=');
    expect(await check(flag)).toEqual([expect.stringContaining(`${name} needs --auth token. Give both.`)]);
  });

  test('each problem of several files', async () => {
    const flags = ['--token-secret-file=/nowhere/a,/nowhere/b', '--token-key-file=/nowhere/c'];
    expect(await check('--auth=token', ...flags)).toHaveLength(3);
  });
});

test('check-config warns of secrets that others read, and of private keys', async () => {
  const flags = [
    '--auth=token',
    `--token-secret-file=${file(SECRET, 0o644)}`,
    `--token-key-file=${file(pem(EC.privateKey), 0o644)}`,
  ];
  expect(await check(...flags)).toEqual([
    expect.stringMatching(/can be read by other users; run: chmod 600/),
    expect.stringMatching(/has a private key. The gateway needs the public key only/),
    expect.stringMatching(/can be read by other users, who can sign tokens with it/),
  ]);
});

test('workers get public keys only, and all in a form that a message can have', () => {
  const { tokens } = prepared(
    `--token-secret-file=${file(`${SECRET}\n`)}`,
    `--token-key-file=${file(jwk(EC.privateKey, { kid: 'ec' }))},${file(pem(RSA.privateKey))}`,
    ...['--token-audience=a,b', '--token-issuer=me', '--groups-per-connection-max=7'],
  ).settings.worker;
  expect(tokens).toEqual({
    secrets: [SECRET],
    keys: [jwk(EC.publicKey, { kid: 'ec', alg: 'ES256' }), jwk(RSA.publicKey)],
    jwksUrl: '',
    audience: ['a', 'b'],
    issuer: 'me',
    withoutExp: false,
    groupsMax: 7,
  });
  expect(JSON.parse(JSON.stringify(tokens))).toEqual(tokens);
});

test('without --auth token, workers have no options of tokens', () => {
  const { config } = readConfig(program, { argv: [], env: {}, readFile: () => '' });
  expect(prepareGateway(config).settings.worker.tokens).toBeUndefined();
});
