import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { WELCOME_PAGE_HEADERS, welcomePage } from './welcome-page.ts';

const PAGE_BYTES_MAX = 20_000;
const page = welcomePage({ version: '1.2.3' });

/** The contents of every element of this name, as the browser hashes them. */
function contents(tag: string): string[] {
  return [...page.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map(
    (match) => match[1]!,
  );
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

function directives(): Map<string, string> {
  const policy = WELCOME_PAGE_HEADERS['content-security-policy']!;
  return new Map(
    policy.split('; ').map((directive) => {
      const space = directive.indexOf(' ');
      return [directive.slice(0, space), directive.slice(space + 1)];
    }),
  );
}

describe('welcomePage', () => {
  test('is one small document', () => {
    expect(page.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
    expect(page.trimEnd().endsWith('</html>')).toBe(true);
    expect(page.match(/<html|<head>|<body>/g)).toEqual(['<html', '<head>', '<body>']);
    expect(Buffer.byteLength(page, 'utf8')).toBeLessThan(PAGE_BYTES_MAX);
  });

  test('refers to nothing outside itself', () => {
    expect(page).not.toMatch(/https?:\/\/|src=|href=|url\(|@import|<link|<base|<iframe/i);
  });

  test('never parses messages as markup', () => {
    expect(page).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/);
  });

  test('the script parses', () => {
    const [script] = contents('script');
    expect(script).toContain('function openConnection');
    expect(() => new Script(script!)).not.toThrow();
  });

  test("shows the origin's snippet word for word", () => {
    const [, snippet] = /<code data-role="snippet">([\s\S]*?)<\/code>/.exec(page)!;
    expect(snippet!.replace(/<[^>]+>/g, '')).toBe(
      [
        "ws = new WebSocket('ws://127.0.0.1:1234');",
        'ws.onmessage = function(data){console.log(data.data)};',
        'ws.onopen = function() {',
        `    ws.send('{"cmd":"add_group", "group_id":"123"}');`,
        `    ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"これはメッセージです"}');`,
        '};',
      ].join('\n'),
    );
  });

  test('has both panes, each with every hook once', () => {
    const panes = new Map(
      [...page.matchAll(/<section data-pane="(\w+)"[\s\S]*?<\/section>/g)].map((match) => [
        match[1],
        match[0],
      ]),
    );
    expect([...panes.keys()]).toEqual(['alice', 'bob']);
    const hooks = ['state', 'client-id', 'groups', 'group', 'join', 'leave', 'message', 'send', 'log'];
    for (const html of panes.values()) {
      expect([...html.matchAll(/data-role="([\w-]+)"/g)].map((match) => match[1])).toEqual(hooks);
    }
    expect(page.match(/<button[^>]* data-role="copy"/g)).toHaveLength(1);
  });

  test('labels every field', () => {
    const fields = [...page.matchAll(/<input id="([^"]+)"/g)].map((match) => match[1]);
    expect(fields).toEqual(['alice-group', 'alice-message', 'bob-group', 'bob-message']);
    expect(page.match(/<input/g)).toHaveLength(fields.length);
    expect([...page.matchAll(/<label for="([^"]+)"/g)].map((match) => match[1])).toEqual(fields);
  });

  test('says how to turn it off, and which version runs, as text', () => {
    expect(page).toContain('<code>--no-welcome-page</code>');
    expect(page).toContain('Groupcast 1.2.3.');
    expect(welcomePage({ version: '<b>&"' })).toContain('Groupcast &lt;b&gt;&amp;&quot;.');
  });
});

describe('WELCOME_PAGE_HEADERS', () => {
  test('the policy allows the script and the style of the page by their hashes, and no other', () => {
    expect(contents('script')).toHaveLength(1);
    expect(contents('style')).toHaveLength(1);
    expect(directives().get('script-src')).toBe(hashSource(contents('script')[0]!));
    expect(directives().get('style-src')).toBe(hashSource(contents('style')[0]!));
  });

  test('the page needs nothing that the policy forbids', () => {
    expect(page).not.toMatch(/<[a-z][^>]*\s(on[a-z]+|style)=/i);
    expect(directives().get('default-src')).toBe("'none'");
    expect(directives().get('connect-src')).toBe("'self' ws: wss:");
    expect(WELCOME_PAGE_HEADERS['content-security-policy']).not.toContain('unsafe');
  });

  test('keeps the page out of frames, caches and guesses about its type', () => {
    expect(WELCOME_PAGE_HEADERS).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });
});
