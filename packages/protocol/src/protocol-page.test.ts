import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../testing/golden.ts';
import { CLOSE_CODES, type CloseCodeRow, ERROR_CODES } from './codes.ts';
import * as limits from './limits.ts';
import { decodeNative } from './native/message.ts';
import { OPCODES } from './native/opcode.ts';
import { parseClientCommand } from './schema/client-command.ts';
import { clientEvent } from './schema/client-event.ts';
import { hubJsonReply, parseHubJsonRequest } from './schema/hub-json.ts';
import { encodeText } from './text.ts';

const PAGE = new URL('../PROTOCOL.md', import.meta.url);

function page(): string {
  return readFileSync(PAGE, 'utf8');
}

const closeRows: [string, CloseCodeRow][] = Object.entries(CLOSE_CODES);
const TABLES = [
  {
    name: 'close codes',
    rows: [
      ['code', 'name', 'reason', 'reconnect?'],
      ...closeRows.map(([name, { code, reason, reconnect }]) => [
        `${code}`,
        `\`${name}\``,
        reason,
        yesOrNo(reconnect),
      ]),
    ],
  },
  {
    name: 'error codes',
    rows: [
      ['code', 'sentence', 'temporary?'],
      ...Object.entries(ERROR_CODES).map(([name, { sentence, temporary }]) => [
        `\`${name}\``,
        sentence,
        yesOrNo(temporary),
      ]),
    ],
  },
];

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** A Markdown table, aligned as the formatter aligns them. */
function tableOf([head = [], ...rows]: readonly string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], filler: string): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width, filler)).join(' | ')} |\n`;
  return line(head, ' ') + line([], '-') + rows.map((row) => line(row, ' ')).join('');
}

describe('generated tables', () => {
  test.each(TABLES)('$name are those of codes.ts', ({ name, rows }) => {
    const section = new RegExp(`(<!-- GENERATED ${name}: [^\\n]* -->\\n\\n)([\\s\\S]*?)(\\n<!-- END -->)`);
    const table = tableOf(rows);
    const before = page();
    const found = section.exec(before);
    expect(found).not.toBeNull();
    if (process.env['UPDATE_DOCS'] === '1' && found?.[2] !== table) {
      const after = before.replace(section, (_, begin: string, _old, end: string) => begin + table + end);
      writeFileSync(PAGE, after);
    }
    expect(section.exec(page())?.[2], 'The page is stale. UPDATE_DOCS=1 rewrites it.').toBe(table);
  });
});

describe('tables by hand', () => {
  test('limits are those of limits.ts', () => {
    const rows = [...page().matchAll(/^\| `([A-Z_]+)` *\| ([\d,]+) *\|/gm)];
    const stated = Object.fromEntries(
      rows.map(([, name, value]) => [name, Number(value?.replaceAll(',', ''))]),
    );
    const numbers = Object.entries(limits).filter(([, value]) => typeof value === 'number');
    expect(stated).toEqual(Object.fromEntries(numbers));
  });

  test('opcodes are those of the code', () => {
    const rows = [...page().matchAll(/^\| `0x([0-9a-f]{2})` *\| ([A-Z]+) *\| (?:peer|hub) *\|/gm)];
    const stated = rows.map(([, hex, name]) => [name?.toLowerCase(), Number.parseInt(hex ?? '', 16)]);
    expect(Object.fromEntries(stated)).toEqual(OPCODES);
  });
});

describe('examples', () => {
  /** The messages in the first fenced block of a section, in one direction. */
  function examples(heading: string, arrow: '→' | '←'): string[] {
    const section = page().split(`\n${heading}\n`)[1] ?? '';
    const block = section.split('\n```\n')[1] ?? '';
    const lines = block.split('\n').filter((line) => line.startsWith(`${arrow} `));
    return lines.map((line) => line.slice(2));
  }

  test('the bytes of a PUBLISH', () => {
    const block = /```hex\n([\s\S]*?)```/.exec(page())?.[1] ?? '';
    expect(decodeNative(bytesOf(block.replaceAll(/#.*|\s/g, '')))).toEqual({
      type: 'publish',
      publication: {
        channel: 'group:123',
        kind: 'text',
        excludeSender: false,
        sender: '3f9c0a',
        messageId: '',
        payload: encodeText('hi'),
        number: 1,
        meta: '',
        timeMs: 0,
        ephemeral: false,
        keyed: undefined,
      },
    });
  });

  test('the JSON dialect', () => {
    const requests = examples('## 6. The JSON dialect', '→');
    const last = requests.pop() ?? '';
    for (const text of requests) expect(() => parseHubJsonRequest(encodeText(text)), text).not.toThrow();
    const replies = examples('## 6. The JSON dialect', '←').map((text) =>
      hubJsonReply.parse(JSON.parse(text)),
    );
    expect(requests.length).toBeGreaterThan(3);
    // The last request of the example is the one that is refused, in these words.
    const { type, ...refusal } = replies.at(-1) ?? expect.unreachable();
    expect(type).toBe('error');
    expect(() => parseHubJsonRequest(encodeText(last))).toThrow(expect.objectContaining(refusal));
  });

  test('the clients’ wire', () => {
    const commands = examples('### Events of `groupcast.v1`', '→');
    const events = examples('### Events of `groupcast.v1`', '←').map((text) => {
      const parsed: unknown = JSON.parse(text);
      expect(clientEvent.parse(parsed)).toEqual(parsed);
      return clientEvent.parse(parsed);
    });
    const refusals = commands.flatMap((text) => {
      try {
        parseClientCommand(text);
        return [];
      } catch (error) {
        return [error];
      }
    });
    const errors = events.flatMap((event) => (event.type === 'error' ? [event] : []));
    expect(refusals).toEqual(errors.map(({ type: _, ...error }) => expect.objectContaining(error)));
    expect(errors.length).toBe(1);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(clientEventTypes()));
  });

  test('links within the page lead somewhere', () => {
    const anchors = [...page().matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      (heading ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
    const links = [...page().matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(10);
    expect(anchors).toEqual(expect.arrayContaining([...new Set(links)]));
  });
});

function clientEventTypes(): string[] {
  const schemas = clientEvent.options.flatMap((option) => [...option.options]);
  return schemas.map(({ shape }) => shape.type.value);
}
