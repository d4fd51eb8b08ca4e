import { describe, expect, test } from 'vitest';
import { ClientSessions, clientIdOf } from './client-id.ts';

// `printf %s <session> | openssl dgst -sha256 -binary | base64`, its first 22 characters, with - and _ for + and /.
const SESSION = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const CLIENT_ID = '6oZqdX5MOLq_qBJ8vppAnT';

// The bytes 0 to 31 and the first 16 of their HMAC, with Python's hmac and hashlib:
// prk = hmac(bytes(32), b'correct horse battery staple'); key = hmac(prk, b'groupcast session\x01'); hmac(key, bytes(range(32)))[:16]
const SECRET = 'correct horse battery staple';
const SIGNED = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DYKwOLLSwaT7oS74Adtv7';

const unsigned = new ClientSessions('');
const signed = new ClientSessions(SECRET);

describe('a session', () => {
  test('makes the same client id everywhere', () => {
    expect(clientIdOf(SESSION)).toBe(CLIENT_ID);
  });

  test.each([
    ['without a secret', unsigned, 43],
    ['with a secret', signed, 64],
  ])('%s is new each time, and has the form in which it is offered', (_, gateway, length) => {
    const sessions = Array.from({ length: 100 }, () => gateway.create());
    expect(new Set(sessions).size).toBe(100);
    expect(new Set(sessions.map(clientIdOf)).size).toBe(100);
    for (const session of sessions) {
      expect(session).toMatch(new RegExp(`^[\\w-]{${length}}$`));
      expect(gateway.offered(`groupcast.v1, groupcast.session.${session}`)).toBe(session);
      expect(clientIdOf(session)).toMatch(/^[\w-]{22}$/);
    }
  });
});

describe('what is offered', () => {
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
  ])('%j has none', (subprotocols) => {
    expect(unsigned.offered(subprotocols)).toBeUndefined();
  });
});

describe('with a secret', () => {
  const offer = (session: string): string => `groupcast.v1, groupcast.session.${session}`;

  test('any gateway that has it accepts the session of another', () => {
    expect(new ClientSessions(SECRET).offered(offer(SIGNED))).toBe(SIGNED);
    expect(signed.offered(offer(new ClientSessions(SECRET).create()))).toBeDefined();
  });

  test('one that is wrong at any character is none', () => {
    for (let at = 0; at < SIGNED.length; at++) {
      const other = SIGNED[at] === 'A' ? 'B' : 'A';
      expect(signed.offered(offer(SIGNED.slice(0, at) + other + SIGNED.slice(at + 1)))).toBeUndefined();
    }
  });

  test('one that is not signed, or with another secret, is none; and a signed one is none where there is no secret', () => {
    expect(signed.offered(offer(SESSION))).toBeUndefined();
    expect(signed.offered(offer(unsigned.create()))).toBeUndefined();
    expect(signed.offered(offer(new ClientSessions(`${SECRET}.`).create()))).toBeUndefined();
    expect(signed.offered(offer('A'.repeat(64)))).toBeUndefined();
    expect(unsigned.offered(offer(SIGNED))).toBeUndefined();
  });

  test('of many that are offered one is checked', () => {
    expect(signed.offered(`${offer('A'.repeat(64))}, groupcast.session.${SIGNED}`)).toBeUndefined();
    expect(signed.offered(`${offer('short')}, groupcast.session.${SIGNED}`)).toBe(SIGNED);
  });
});
