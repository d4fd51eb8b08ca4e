import { afterEach, describe, expect, test } from 'vitest';
import { readGolden, type Vector } from '../../testing/golden.ts';
import type { ClientCommand, CommandId } from '../client/command.ts';
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { CommandError, parseClientCommand } from './client-command.ts';

interface Refused extends Vector<never> {
  readonly id?: CommandId;
}

const golden = readGolden<{ commands: Vector<ClientCommand>[]; refused: Refused[] }>('client.json');
const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
  expect(({} as Record<string, unknown>)['id']).toBeUndefined();
});

function refusalOf(text: string): CommandError {
  try {
    parseClientCommand(text);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  return expect.unreachable(`taken: ${text.slice(0, 100)}`);
}

describe('golden commands', () => {
  test.each(golden.commands)('$name', ({ text, message }) => {
    expect(parseClientCommand(text)).toEqual(message);
  });

  test.each(golden.refused)('refused: $name', ({ text, error, id }) => {
    const refusal = refusalOf(text);
    expect(refusal).toBeInstanceOf(ProtocolError);
    expect(refusal.code).toBe(error);
    expect(refusal.id).toBe(id);
    expect(refusal.message).toMatch(/\.$/);
  });
});

// Every kind of value that JSON has, in every field of every command.
const VALUES = [
  ...['null', 'true', 'false', '0', '-1', '1.5', '1e15', '9007199254740992', '""', '"x"', '"\\ud800"'],
  ...['{}', '{"a":1}', '{"__proto__":{}}', '{"epoch":"e","offset":1}', '[]', '["x"]', '[[]]'],
];
const INTEGERS = ['0', '-1', '1e15'];
const TAKEN: Record<string, Record<string, readonly string[]>> = {
  add_group: { group_id: [...INTEGERS, '"x"'], since: ['{"epoch":"e","offset":1}'], last: [] },
  leave_group: { group_id: [...INTEGERS, '"x"'] },
  send_to_group: {
    group_id: [...INTEGERS, '"x"'],
    // All but half of a surrogate pair; what is no string is text, as it is written.
    message: VALUES.filter((value) => value !== '"\\ud800"'),
    message_id: ['"x"'],
    exclude_self: ['true', 'false'],
    store: ['true'],
  },
  history: { group_id: [...INTEGERS, '"x"'], since: ['{"epoch":"e","offset":1}'], limit: [] },
  resume: { positions: ['{}'] },
  group_info: { group_id: [...INTEGERS, '"x"'] },
  ping: {},
};
const VALID_IDS = ['0', '-1', '1.5', '""', '"x"', 'null'];
const VALID: Record<string, string> = {
  group_id: '"123"',
  message: '"hi"',
  message_id: '"m"',
  exclude_self: 'true',
  since: '{"epoch":"e","offset":0}',
  store: 'true',
  limit: '1000',
  positions: '{"g":{"epoch":"e","offset":0}}',
};

/** Fields that exclude another one of the command. */
const EXCLUDED: Record<string, string> = { last: 'since' };

/** Commands that need an id. */
const NEEDS_ID = ['history'];

function commandText(cmd: string, fields: Record<string, string>): string {
  const members = Object.entries({ cmd: JSON.stringify(cmd), ...fields });
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

describe.each(Object.entries(TAKEN))('every JSON type in %s', (cmd, fields) => {
  const together = Object.keys(fields).filter((field) => EXCLUDED[field] === undefined);
  const valid = Object.fromEntries(together.map((field) => [field, VALID[field] ?? '']));

  test.each(Object.entries(fields))('%s', (field, taken) => {
    for (const value of VALUES) {
      const { [EXCLUDED[field] ?? '']: _, ...others } = valid;
      const text = commandText(cmd, { ...others, [field]: value, id: '"the id"' });
      if (taken.includes(value)) {
        const parsed: unknown = JSON.parse(value);
        const isWritten = field === 'message' && typeof parsed !== 'string';
        const expected = isWritten ? value : field === 'group_id' ? String(parsed) : parsed;
        expect(parseClientCommand(text), text).toMatchObject({ cmd, [field]: expected, id: 'the id' });
      } else {
        const refusal = refusalOf(text);
        const isNoName = field === 'group_id' && value.startsWith('"');
        expect(refusal.code, text).toBe(isNoName ? 'invalid_group' : 'bad_field');
        expect(refusal.id, text).toBe('the id');
        expect(refusal.message, text).toContain(field);
      }
    }
  });

  test('id', () => {
    for (const value of VALUES) {
      const text = commandText(cmd, { ...valid, id: value });
      if (VALID_IDS.includes(value) && !(value === 'null' && NEEDS_ID.includes(cmd))) {
        expect(parseClientCommand(text).id, text).toBe(JSON.parse(value) ?? undefined);
      } else {
        expect(refusalOf(text), text).toMatchObject({ code: 'bad_field', id: undefined });
      }
    }
  });

  test('fields of other commands and unknown ones are ignored, whatever they hold', () => {
    const whole = { ...valid, id: '1' };
    const plain = parseClientCommand(commandText(cmd, whole));
    for (const other of ['later', '__proto__', 'constructor', 'hasOwnProperty', 'type', '']) {
      for (const value of VALUES) {
        const text = commandText(cmd, { ...whole, [other]: value });
        // A computed `__proto__` in an object literal is an own key, and so it is in the text.
        expect(text).toContain(JSON.stringify(other));
        expect(parseClientCommand(text), text).toEqual(plain);
      }
    }
  });
});

describe('bounds', () => {
  test('accepts 64 levels, and rejects 65', () => {
    const nested = (levels: number): string =>
      `{"cmd":"ping","x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(parseClientCommand(nested(64))).toEqual({ cmd: 'ping' });
    expect(refusalOf(nested(65)).code).toBe('bad_json');
    expect(refusalOf(nested(CLIENT_MESSAGE_BYTES_MAX / 2)).code).toBe('bad_json');
    expect(refusalOf(nested(65).replace('{', '{"id":7,'))).toMatchObject({ code: 'bad_json', id: 7 });
  });

  test('accepts 32 keys in an object at any depth, and rejects 33', () => {
    const keys = (count: number): string =>
      Array.from({ length: count }, (_, key) => `"k${key}":0`).join(',');
    expect(parseClientCommand(`{"cmd":"ping",${keys(31)}}`)).toEqual({ cmd: 'ping' });
    expect(refusalOf(`{"cmd":"ping",${keys(32)}}`).code).toBe('bad_json');
    expect(parseClientCommand(`{"cmd":"ping","x":[[{${keys(32)}}]]}`)).toEqual({ cmd: 'ping' });
    expect(refusalOf(`{"cmd":"ping","x":[[{${keys(33)}}]]}`).code).toBe('bad_json');
  });

  test('accepts 2,048 values outside the message, and rejects 2,049', () => {
    const values = (count: number): string => `[${'[],'.repeat(count - 1)}[]]`;
    // Those of the command and the array, and the array itself.
    expect(parseClientCommand(`{"cmd":"ping","x":${values(2_046)}}`)).toEqual({ cmd: 'ping' });
    expect(refusalOf(`{"cmd":"ping","x":${values(2_047)}}`).code).toBe('bad_json');
    const message = values(20_000);
    expect(parseClientCommand(`{"cmd":"send_to_group","group_id":"1","message":${message}}`)).toMatchObject({
      message,
    });
  });

  test.each([
    ['id', 128],
    ['message_id', 128],
  ])('%s is bounded in bytes', (field, bytesMax) => {
    const send = (value: string): string =>
      commandText('send_to_group', { group_id: '"1"', message: '""', [field]: JSON.stringify(value) });
    const full = `${'あ'.repeat(Math.floor(bytesMax / 3))}ab`;
    expect(parseClientCommand(send(full))).toMatchObject({ [field]: full });
    expect(refusalOf(send(`${full}c`)).code).toBe('bad_field');
  });
});

describe('a rejection', () => {
  test('names the field, and says when it is missing', () => {
    expect(refusalOf('{"cmd":"send_to_group","group_id":"1"}').message).toMatch(/^message .* missing\.$/);
    expect(refusalOf('{"cmd":"send_to_group","group_id":"1","message":"\\ud800"}').message).not.toContain(
      'missing',
    );
  });

  test('never repeats what the client sent', () => {
    for (const { text } of golden.refused) {
      const canary = text.replaceAll('ping', 'canary').replaceAll('ADD_GROUP', 'canary');
      expect(refusalOf(canary).message).not.toContain('canary');
    }
  });

  test('the group is judged before the message, whatever the order of the fields', () => {
    expect(refusalOf('{"message":"\\ud800","group_id":"","cmd":"send_to_group"}').code).toBe('invalid_group');
  });

  test('the last of two equal keys counts', () => {
    expect(parseClientCommand('{"cmd":"nope","cmd":"ping","id":1,"id":2}')).toEqual({ cmd: 'ping', id: 2 });
  });
});
