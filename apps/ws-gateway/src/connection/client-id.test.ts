import { describe, expect, test } from 'vitest';
import { ClientSessions, clientIdOf } from './client-id.ts';

// `printf %s <session> | openssl dgst -sha256 -binary | base64`, its first 22 characters, with -
// and _ for + and /.
const SESSION = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const CLIENT_ID = '6oZqdX5MOLq_qBJ8vppAnT';

// The bytes 0 to 31 and the first 16 of their HMAC, with Python's hmac and hashlib:
// prk = hmac(bytes(32), b'correct horse battery staple')
// key = hmac(prk, b'groupcast session\x01'); hmac(key, bytes(range(32)))[:16]
const SECRET = 'correct horse battery staple';
const SIGNED = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DYKwOLLSwaT7oS74Adtv7';

const unsigned = new ClientSessions('');
const signed = new ClientSessions(SECRET);

describe('a session', () => {
  test('has the same client id everywhere', () => {
    expect(clientIdOf(SESSION)).toBe(CLIENT_ID);
  });

  test('has another client id for each user', () => {
    // `printf '%s\n%s' <uid> <session>`, and as above.
    expect(clientIdOf(SESSION, 'ann')).toBe('Ch4Ey1bDhiAG-G7hy9KHO4');
    expect(clientIdOf(SESSION, 'アン')).toBe('dRyQcDmSoNEDYeHW32G0a_');
  });

  test.each([
    ['without a secret', unsigned, 43],
    ['with a secret', signed, 64],
  ])('%s is new each time, in the form in which clients offer it', (_, gateway, length) => {
    const sessions = Array.from({ length: 100 }, () => gateway.create());
    expect(new Set(sessions).size).toBe(100);
    expect(new Set(sessions.map((session) => clientIdOf(session))).size).toBe(100);
    for (const session of sessions) {
      expect(session).toMatch(new RegExp(`^[\\w-]{${length}}$`));
      expect(gateway.offered(`groupcast.v1, groupcast.session.${session}`)).toBe(session);
      expect(clientIdOf(session)).toMatch(/^[\w-]{22}$/);
    }
  });
});

describe('an offer', () => {
  test.each([
    `groupcast.v1, groupcast.session.${SESSION}`,
    `groupcast.session.${SESSION},groupcast.v1`,
    `other,  groupcast.session.${SESSION}\t, groupcast.v1`,
    `groupcast.session.short, groupcast.session.${SESSION}`,
  ])('%j has a session', (subprotocols) => {
    expect(unsigned.offered(subprotocols)).toBe(SESSION);
  });

  test.each([
    undefined,
    '',
    'groupcast.v1',
    'groupcast.v1, groupcast.session.',
    `groupcast.v1, groupcast.session.${SESSION.slice(1)}`,
    `groupcast.v1, groupcast.session.${SESSION}A`,
    `groupcast.v1, groupcast.session.${SESSION.slice(1)}+`,
    `groupcast.v1, groupcast.session.${SESSION.slice(1)}=`,
    `groupcast.v1, Groupcast.session.${SESSION}`,
    `groupcast.v1, ${SESSION}`,
  ])('%j has no session', (subprotocols) => {
    expect(unsigned.offered(subprotocols)).toBeUndefined();
  });
});

describe('with a secret', () => {
  const offer = (session: string): string => `groupcast.v1, groupcast.session.${session}`;

  test('a gateway accepts the session of another gateway', () => {
    expect(new ClientSessions(SECRET).offered(offer(SIGNED))).toBe(SIGNED);
    expect(signed.offered(offer(new ClientSessions(SECRET).create()))).toBeDefined();
  });

  test('a session with any wrong character is ignored', () => {
    for (let at = 0; at < SIGNED.length; at++) {
      const other = SIGNED[at] === 'A' ? 'B' : 'A';
      expect(signed.offered(offer(SIGNED.slice(0, at) + other + SIGNED.slice(at + 1)))).toBeUndefined();
    }
  });

  test('an unsigned session, or one with another secret, is ignored; without a secret a signed one is ignored', () => {
    expect(signed.offered(offer(SESSION))).toBeUndefined();
    expect(signed.offered(offer(unsigned.create()))).toBeUndefined();
    expect(signed.offered(offer(new ClientSessions(`${SECRET}.`).create()))).toBeUndefined();
    expect(signed.offered(offer('A'.repeat(64)))).toBeUndefined();
    expect(unsigned.offered(offer(SIGNED))).toBeUndefined();
  });

  test('only one of many offered sessions is checked', () => {
    expect(signed.offered(`${offer('A'.repeat(64))}, groupcast.session.${SIGNED}`)).toBeUndefined();
    expect(signed.offered(`${offer('short')}, groupcast.session.${SIGNED}`)).toBe(SIGNED);
  });
});
