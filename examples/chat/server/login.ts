import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Plugin } from 'vite';
import { tokenOf } from './token.ts';
import { isName, userOf } from './users.ts';

/** Sessions that are kept. One more ends the oldest. */
const SESSIONS_MAX = 1_000;

const COOKIE = 'session';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/**
 * Adds a login to the development server, in place of that of an application. It accepts every
 * name without a password, so it is for development only. The page of a user who is logged in gets
 * tokens from `/token`.
 */
export function login(): Plugin {
  const sessions = new Map<string, string>();

  const userOfRequest = ({ headers }: IncomingMessage) => {
    const uid = sessions.get(sessionOf(headers.cookie));
    return uid === undefined ? undefined : userOf(uid);
  };

  const routes: Readonly<Record<string, Handler>> = {
    'POST /login': async (request, response) => {
      const name = new URLSearchParams(await text(request)).get('name') ?? '';
      if (!isName(name)) return sendJson(response, 400, { error: 'Use letters and digits, 50 at most.' });
      const session = randomUUID();
      sessions.set(session, name);
      const [oldest] = sessions.keys();
      if (sessions.size > SESSIONS_MAX && oldest !== undefined) sessions.delete(oldest);
      backToPage(response, session);
    },
    'POST /logout': ({ headers }, response) => {
      sessions.delete(sessionOf(headers.cookie));
      backToPage(response, '');
    },
    'GET /user': (request, response) => {
      const user = userOfRequest(request);
      sendJson(response, 200, user ?? null);
    },
    'GET /token': async (request, response) => {
      const user = userOfRequest(request);
      if (user === undefined) sendJson(response, 401, { error: 'Log in first.' });
      else sendJson(response, 200, { token: await tokenOf(user) });
    },
  };

  return {
    name: 'login',
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const handler = routes[`${request.method} ${request.url}`];
        if (handler === undefined) next();
        else Promise.resolve(handler(request, response)).catch(next);
      });
    },
  };
}

function sessionOf(cookies = ''): string {
  return cookies.match(/(?:^|; )session=([\w-]+)/)?.[1] ?? '';
}

/** Sets the cookie of the session, closed to scripts and other sites, and reloads the page. */
function backToPage(response: ServerResponse, session: string): void {
  const life = session === '' ? '; Max-Age=0' : '';
  response.setHeader('Set-Cookie', `${COOKIE}=${session}; HttpOnly; SameSite=Strict; Path=/${life}`);
  response.writeHead(303, { Location: '/' }).end();
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  response.writeHead(status, headers).end(JSON.stringify(value));
}
