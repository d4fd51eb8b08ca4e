import { describe, expect, test } from 'vitest';
import { clientIdOf, newSession, offeredSession } from './client-session.ts';

// `printf %s <session> | openssl dgst -sha256 -binary | base64`, its first 22 characters, with - and _ for + and /.
const SESSION = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const CLIENT_ID = '6oZqdX5MOLq_qBJ8vppAnT';

describe('a session', () => {
  test('makes the same client id everywhere', () => {
    expect(clientIdOf(SESSION)).toBe(CLIENT_ID);
  });

  test('is new each time, and has the form in which it is offered', () => {
    const sessions = Array.from({ length: 100 }, newSession);
    expect(new Set(sessions).size).toBe(100);
    expect(new Set(sessions.map(clientIdOf)).size).toBe(100);
    for (const session of sessions) {
      expect(offeredSession(`groupcast.v1, groupcast.session.${session}`)).toBe(session);
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
    expect(offeredSession(subprotocols)).toBe(SESSION);
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
    expect(offeredSession(subprotocols)).toBeUndefined();
  });
});
