import { afterEach, describe, expect, test } from 'vitest';
import { bytesOf, readGolden, type Vector } from '../../testing/golden.ts';
import { CHANNELS_PER_FRAME_MAX, FRAME_BYTES_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import { type HubJsonReply, type HubJsonRequest, hubJsonReply, parseHubJsonRequest } from './hub-json.ts';

interface Golden {
  readonly requests: Vector<HubJsonRequest>[];
  readonly replies: Vector<HubJsonReply>[];
  readonly refused: Partial<Vector<never>>[];
}

const golden = readGolden<Golden>('json.json');
const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
});

function parse(text: string): HubJsonRequest {
  return parseHubJsonRequest(encodeText(text));
}

function refusalOf(body: Uint8Array): ProtocolError {
  try {
    parseHubJsonRequest(body);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  return expect.unreachable();
}

describe('golden requests', () => {
  test.each(golden.requests)('$name', ({ text, message }) => {
    expect(parse(text)).toEqual(message);
  });

  test.each(golden.refused)('refused: $name', ({ text, hex, error }) => {
    const refusal = refusalOf(text === undefined ? bytesOf(hex ?? '') : encodeText(text));
    expect(refusal.code).toBe(error);
    expect(refusal.message.length).toBeGreaterThan(10);
    expect(refusal.message.length).toBeLessThanOrEqual(200);
  });

  test('there is one of every type', () => {
    expect(new Set(golden.requests.map(({ message }) => message.type))).toEqual(
      new Set([
        'hello',
        'proof',
        'subscribe',
        'unsubscribe',
        'publish',
        'history',
        'ping',
        'enqueue',
        'watch',
        'unwatch',
        'done',
        'failed',
      ]),
    );
  });
});

describe('golden replies', () => {
  test.each(golden.replies)('$name', ({ text, message }) => {
    expect(hubJsonReply.parse(JSON.parse(text))).toEqual(message);
    expect(JSON.stringify(hubJsonReply.parse(message))).toBe(text);
  });

  test('there is one of every type', () => {
    const types = hubJsonReply.options.map((option) => option.shape.type.value);
    expect(new Set(golden.replies.map(({ message }) => message.type))).toEqual(new Set(types));
  });
});

describe('bounds', () => {
  const publish = (data: string): string => `{"type":"publish","channels":["a"],"data":${data}}`;

  test('accepts 64 levels, and rejects more', () => {
    const nested = (levels: number): string => publish('['.repeat(levels - 1) + ']'.repeat(levels - 1));
    expect(parse(nested(64))).toMatchObject({ type: 'publish' });
    for (const levels of [65, 5_000, FRAME_BYTES_MAX / 4]) {
      expect(refusalOf(encodeText(nested(levels))).code).toBe('bad_json');
    }
  });

  test('returns data unchanged, also keys with a meaning elsewhere', () => {
    const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},"a":[{"__proto__":null}]}';
    expect(parse(publish(data))).toMatchObject({ data: { kind: 'json', text: data } });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('data may have more keys than a client may send', () => {
    const keys = Array.from({ length: 10_000 }, (_, key) => `"k${key}":0`).join(',');
    expect(parse(publish(`{${keys}}`))).toMatchObject({ type: 'publish' });
  });

  test.each(['null', 'true', 'false', '0', '-1.5', '1.0', '{}', '[]', '[ null]', '12345678901234567890'])(
    'data may be %s',
    (text) => {
      expect(parse(publish(text))).toMatchObject({ data: { kind: 'json', text } });
    },
  );

  test.each(['', 'x', 'é"\\'])('data may be the string %j', (text) => {
    expect(parse(publish(JSON.stringify(text)))).toMatchObject({ data: { kind: 'text', text } });
  });

  test.each(['subscribe', 'unsubscribe'])('%s takes 1,024 channels, groups and prefixes in all', (type) => {
    const request = (channels: number, prefixes: number): Uint8Array =>
      encodeText(
        JSON.stringify({
          type,
          channels: Array.from({ length: channels >> 1 }, (_, index) => index),
          groups: Array.from({ length: channels - (channels >> 1) }, (_, index) => index),
          prefixes: Array.from({ length: prefixes }, (_, index) => `p${index}`),
        }),
      );
    expect(parseHubJsonRequest(request(CHANNELS_PER_FRAME_MAX - 24, 24)).type).toBe(type);
    expect(refusalOf(request(CHANNELS_PER_FRAME_MAX - 23, 24)).code).toBe('bad_field');
    expect(refusalOf(request(0, 0)).code).toBe('bad_field');
  });

  test('a rejection names the field', () => {
    expect(refusalOf(encodeText(publish('1').replace('["a"]', '["a",""]'))).message).toMatch(
      /^channels\.1: /,
    );
  });
});
