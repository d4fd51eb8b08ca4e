import { createHash } from 'node:crypto';
import { WELCOME_CONNECTION_SCRIPT } from './connection.ts';
import { WELCOME_PANES_SCRIPT } from './panes.ts';
import { CONSOLE_SNIPPET, PROGRAM_SNIPPETS, type Snippet } from './snippets.ts';
import { WELCOME_STYLE } from './style.ts';

const SCRIPT = `'use strict';${WELCOME_CONNECTION_SCRIPT}${WELCOME_PANES_SCRIPT}`;

/** Facts about the gateway that the welcome page shows. */
export interface WelcomePageOptions {
  /** The gateway's version, shown in the footer. */
  readonly version: string;
}

/**
 * Headers of the welcome page. The policy runs the page's own script and
 * style, known by their hashes, and nothing else: were a message ever taken for markup, it still
 * could not run or load anything.
 */
export const WELCOME_PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `script-src '${sha256(SCRIPT)}'`,
    `style-src '${sha256(WELCOME_STYLE)}'`,
    // Safari's 'self' does not cover WebSockets.
    "connect-src 'self' ws: wss:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/**
 * Renders the page that `GET /` of a gateway answers: what this is, the snippet to paste, and two
 * panes in which a newcomer joins groups and sends, and code for programs. One document that loads
 * nothing else, under 20 kB. Render it once, and serve it with `WELCOME_PAGE_HEADERS`.
 */
export function welcomePage(options: WelcomePageOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Groupcast gateway</title>
<style>${WELCOME_STYLE}</style>
</head>
<body>
<main>
<h1>Groupcast</h1>
<p>Groupcast delivers messages to groups of WebSocket connections that are spread over many processes and hosts.
This gateway is running: what one client sends to a group reaches every member of it, wherever each is connected.</p>
<p>Paste this into a browser console, and see the message that it sends:</p>
<pre tabindex="0" aria-label="Snippet"><code data-role="snippet">${CONSOLE_SNIPPET}</code></pre>
<div class="copy"><button type="button" data-role="copy">Copy</button><span role="status" data-role="copy-note"></span></div>
<p>Or try it here with two clients, which have joined group 123: send a message from one.</p>
<noscript><p>The panes need JavaScript.</p></noscript>
<div class="panes">
${pane('alice', 'Alice')}
${pane('bob', 'Bob')}
</div>
<h2>From a program</h2>
<p>The panes show what these send:</p>
${PROGRAM_SNIPPETS.map(program).join('\n')}
</main>
<footer>
<p>Groupcast ${escapeHtml(options.version)}. To read on, in the repository: <code>README.md</code>,
<code>docs/ARCHITECTURE.md</code>, <code>docs/CONFIG.md</code>, <code>packages/protocol/PROTOCOL.md</code>.
To turn this page off, start the gateway with <code>--no-welcome-page</code>.</p>
</footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** One client's pane. `key` makes the ids of its fields unique. */
function pane(key: string, name: string): string {
  return `<section data-pane="${key}" aria-labelledby="${key}-name">
<header><h2 id="${key}-name">${name}</h2><span role="status" data-role="state">not connected</span></header>
<dl>
<dt>Client id</dt><dd data-role="client-id"></dd>
<dt>Joined groups</dt><dd><ul data-role="groups"></ul></dd>
</dl>
<form autocomplete="off">
<label for="${key}-group">Group</label>
<div class="row"><input id="${key}-group" data-role="group" value="123" maxlength="255" required>
<button type="submit" data-role="join" disabled>Join</button>
<button type="button" data-role="leave" disabled>Leave</button></div>
</form>
<form autocomplete="off">
<label for="${key}-message">Message</label>
<div class="row"><input id="${key}-message" data-role="message" required>
<button type="submit" data-role="send" disabled>Send</button></div>
</form>
<div class="log" role="region" aria-label="What ${name} received" tabindex="0"><ol role="log" data-role="log"></ol></div>
</section>`;
}

function program({ key, title, html }: Snippet): string {
  return `<details><summary>${title}</summary>
<pre tabindex="0" aria-label="${title}"><code data-snippet="${key}">${html}</code></pre></details>`;
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
