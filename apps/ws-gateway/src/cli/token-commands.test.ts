import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@groupcast/service';
import { type CapturedCommand, captureCommand, signToken } from '@groupcast/testkit/in-process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkTokenCommandOf } from './check-token.ts';
import { program } from './program.ts';

const SECRET = 'a secret of thirty-two bytes, no less';

function file(content: string | object, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return path;
}

function genToken(...flags: string[]): Promise<CapturedCommand> {
  return captureCommand((io) => runCommand(program, ['gen-token', ...flags], {}, io));
}

/** Runs check-token with chunks on stdin. */
function checkToken(stdin: readonly string[], ...flags: string[]): Promise<CapturedCommand> {
  const input = async function* (): AsyncGenerator<Uint8Array> {
    for (const text of stdin) yield Buffer.from(text);
  };
  const commands = { ...program.commands, 'check-token': checkTokenCommandOf(input) };
  return captureCommand((io) => runCommand({ ...program, commands }, ['check-token', ...flags], {}, io));
}

test('check-token shows what a token of gen-token allows', async () => {
  const secret = `--token-secret-file=${file(SECRET)}`;
  const made = await genToken(
    ...[secret, '--sub=ann', '--can', 'chat:*=join,publish', '--can=a=b=history', '--can', 'chat:*=info'],
    ...['--join=news,user:ann', '--expires-in=2h', '--token-audience=chat', '--token-issuer=me'],
  );
  expect(made).toMatchObject({ code: 0, err: [] });
  const [token = ''] = made.out;
  const half = token.length / 2;
  const { code, out, err } = await checkToken(
    [`\n${token.slice(0, half)}`, `${token.slice(half)}\n`],
    ...[secret, '--token-audience=chat', '--token-issuer=me'],
  );
  expect([code, err]).toEqual([0, []]);
  const lines = out.join('\n').split('\n');
  const expires = /^expires +(?<at>\S+)$/m.exec(out.join('\n'))?.groups?.['at'] ?? '';
  expect(Math.round((Date.parse(expires) - Date.now()) / 60_000)).toBe(120);
  expect(lines.filter((line) => !/^(expires|issued|token id) /.test(line))).toEqual([
    'claim                value',
    'uid                  ann',
    'joins                news, user:ann',
    'info                 -',
    'messages per second  -',
    'groups               -',
    '',
    'groups  operations',
    'chat:*  join, publish, info',
    'a=b     history',
  ]);
});

describe('gen-token', () => {
  test('signs with the private key that has the kid', async () => {
    const keys = ['P-256', 'P-384'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }));
    const [one, two] = keys.map((pair, at) => ({
      private: { ...pair.privateKey.export({ format: 'jwk' }), kid: `k${at}` },
      public: { ...pair.publicKey.export({ format: 'jwk' }), kid: `k${at}` },
    }));
    const keyFile = `--token-key-file=${file({ keys: [one?.private, two?.private] })}`;
    const made = await genToken(keyFile, '--sub=ann', '--kid=k1');
    expect(made).toMatchObject({ code: 0, err: [] });
    const header = JSON.parse(Buffer.from(made.out[0]?.split('.')[0] ?? '', 'base64url').toString());
    expect(header).toEqual({ alg: 'ES384', typ: 'JWT', kid: 'k1' });
    expect(await checkToken(made.out, `--token-key-file=${file({ keys: [two?.public] })}`)).toMatchObject({
      code: 0,
    });
    expect(await checkToken(made.out, `--token-key-file=${file({ keys: [one?.public] })}`)).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/^rejected \(invalid\): No configured key has the kid/)],
    });
    const missing = await genToken(keyFile, '--sub=ann', '--kid=k2');
    expect(missing).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/with a private key with the kid "k2"/)],
    });
  });

  test.each<[string, string[], RegExp]>([
    ['no user', [], /--sub UID is missing/],
    ['a user with a star', ['--sub=a*'], /Claim sub of the token must be a string/],
    ['an unknown operation', ['--sub=ann', '--can=a=read'], /Claim groupcast.can of the token must map/],
    ['a pattern without operations', ['--sub=ann', '--can=a'], /--can "a" has no operations/],
    ['an invalid time', ['--sub=ann', '--expires-in=1y'], /--expires-in.* must be a number above 0 and s, m/],
    ['no time', ['--sub=ann', '--expires-in=0s'], /--expires-in.* must be a number above 0 and s, m/],
  ])('rejects %s', async (_name, flags, sentence) => {
    const { code, out, err } = await genToken(`--token-secret-file=${file(SECRET)}`, ...flags);
    expect([code, out, err]).toEqual([1, [], [expect.stringMatching(sentence)]]);
  });

  test('rejects public keys, which cannot sign', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const { code, err } = await genToken(`--token-key-file=${file(pem)}`, '--sub=ann');
    expect([code, err]).toEqual([1, [expect.stringMatching(/No key signs the token/)]]);
  });

  test('warns of a secret that other users can read', async () => {
    const { code, err } = await genToken(`--token-secret-file=${file(SECRET, 0o644)}`, '--sub=ann');
    expect([code, err]).toEqual([0, [expect.stringMatching(/^warning: .* can be read by other users/)]]);
  });
});

describe('check-token', () => {
  const claims = { sub: 'ann', exp: Math.floor(Date.now() / 1_000) - 60 };

  test('says why a token is rejected, and shows nothing of it', async () => {
    const token = signToken(claims, { key: SECRET });
    const { code, out, err } = await checkToken([token], `--token-secret-file=${file(SECRET)}`);
    expect([code, out, err]).toEqual([1, [], ['rejected (expired): The token has expired. Get a new one.']]);
  });

  test('takes the token from a flag as well, and one that never expires', async () => {
    const token = signToken({ sub: 'ann' }, { key: SECRET });
    const { code, out } = await checkToken(
      [],
      ...[`--token=${token}`, `--token-secret-file=${file(SECRET)}`, '--token-without-exp'],
    );
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/^expires +never$[\s\S]*The token allows nothing by itself\.$/m);
  });

  test('says why keys cannot be loaded', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { code, err } = await checkToken(
      [signToken(claims, { key: privateKey })],
      ...['--token-jwks-url=http://127.0.0.1:1/keys', '--token-audience=chat'],
    );
    expect(code).toBe(1);
    expect(err).toEqual([
      expect.stringMatching(/^rejected \(unavailable\): The keys that check tokens cannot be loaded/),
      expect.stringMatching(/^The keys at http:\/\/127\.0\.0\.1:1\/keys cannot be loaded: /),
    ]);
  });

  test.each<[string, string[]]>([
    ['no input', []],
    ['white space', [' \n']],
  ])('rejects %s', async (_name, stdin) => {
    const { code, err } = await checkToken(stdin, `--token-secret-file=${file(SECRET)}`);
    expect([code, err]).toEqual([1, [expect.stringMatching(/No token on stdin/)]]);
  });

  test('reads no more than a token has', async () => {
    let chunks = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        chunks += 1;
        yield Buffer.alloc(1_024, 'x');
      }
    };
    const commands = { ...program.commands, 'check-token': checkTokenCommandOf(endless) };
    const flags = ['check-token', `--token-secret-file=${file(SECRET)}`];
    const { code, err } = await captureCommand((io) => runCommand({ ...program, commands }, flags, {}, io));
    expect([code, err]).toEqual([1, [expect.stringMatching(/is longer than 4096 bytes/)]]);
    expect(chunks).toBeLessThan(10);
  });

  test('needs a key', async () => {
    expect(await checkToken(['x'])).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/Tokens need a key/)],
    });
  });
});
