import { decodeText, isChannelName, isKey, limits, native, utf8ByteLength } from '@groupcast/protocol';
import { hubJsonReply } from '@groupcast/protocol/schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Requests } from '../dialect.ts';
import { JsonDialect } from './dialect.ts';
import { JsonEvents } from './events.ts';

const { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, META_BYTES_MAX, SHORT_TEXT_BYTES_MAX } = limits;

function text(bytesMax: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', maxLength: 40 })
    .filter((drawn) => utf8ByteLength(drawn) <= Math.min(bytesMax, 200));
}

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 2 });
/** JSON text as no serializer writes it: with spaces, long numbers and repeated keys. */
const written = fc.oneof(
  fc.tuple(space, fc.json()).map(([before, json]) => `[${before}1.0,${json},12345678901234567890]`),
  fc.json(),
);
const meta = fc
  .tuple(space, fc.string({ unit: 'grapheme', maxLength: 9 }), written, space)
  .map(([before, key, json, after]) => `{${before}"a":-0,${JSON.stringify(key)}:${json}${after}}`)
  .filter((drawn) => utf8ByteLength(drawn) <= META_BYTES_MAX);
const keyed = fc.record({ key: text(520).filter(isKey), lifeMs: fc.maxSafeNat() });
const names = { channel: text(320).filter(isChannelName), sender: text(SHORT_TEXT_BYTES_MAX) };
/** Fields that go together: see PROTOCOL.md, section 3. */
const kept = fc.oneof(
  fc.record({
    messageId: text(SHORT_TEXT_BYTES_MAX),
    keyed: fc.option(keyed, { nil: undefined }),
    ephemeral: fc.constant(false),
  }),
  fc.record({ messageId: fc.constant(''), keyed: fc.constant(undefined), ephemeral: fc.constant(true) }),
);

test('an event has all fields of its publication, meta and data as they were written', () => {
  const publication = fc
    .tuple(
      fc.record({
        ...names,
        kind: fc.constantFrom('text' as const, 'json' as const, 'bytes' as const),
        excludeSender: fc.boolean(),
        // The hub forwards any meta, and a publisher may write what is no JSON object.
        meta: fc.oneof(fc.constant(''), meta, text(META_BYTES_MAX), fc.json()),
        payload: fc.oneof(
          fc.uint8Array({ maxLength: 50 }),
          written.map((json) => new Uint8Array(Buffer.from(json))),
        ),
        number: fc.maxSafeNat(),
        timeMs: fc.maxSafeNat(),
      }),
      kept,
    )
    .map(([content, fields]): native.Publication => ({ ...content, ...fields }));
  const events = new JsonEvents(FRAME_BYTES_MAX);
  fc.assert(
    fc.property(publication, (sent) => {
      const body = decodeText(events.encode(native.encodeDeliver(sent)).subarray(FRAME_HEADER_BYTES));
      const event = hubJsonReply.parse(JSON.parse(body));
      if (event.type !== 'event') expect.unreachable(body);
      expect(event).toMatchObject({ channel: sent.channel, offset: sent.number, time: sent.timeMs });
      expect([event.sender ?? '', event.message_id ?? '']).toEqual([sent.sender, sent.messageId]);
      expect([event.key, event.life_ms ?? 0]).toEqual([sent.keyed?.key, sent.keyed?.lifeMs ?? 0]);
      expect(event.store === false).toBe(sent.ephemeral);
      expectMeta(event.meta, sent.meta, body);
    }),
  );
});

/** An object comes as it was written, anything else as a string. */
function expectMeta(got: unknown, sent: string, body: string): void {
  if (sent === '') expect(got).toBeUndefined();
  else if (typeof got === 'string') expect(got).toBe(sent);
  else {
    expect(body).toContain(`"meta":${sent}`);
    expect(got).toEqual(JSON.parse(sent));
  }
}

test('a publish becomes the publication with its fields, meta and data as they are written', () => {
  const request = fc.tuple(fc.record({ ...names, meta, data: written, excludeSender: fc.boolean() }), kept);
  fc.assert(
    fc.property(request, ([{ channel, sender, meta, data, excludeSender }, fields]) => {
      const { messageId, keyed: key, ephemeral } = fields;
      const members = [
        '"type":"publish"',
        `"channels":[${JSON.stringify(channel)}]`,
        `"sender":${JSON.stringify(sender)},"exclude_sender":${excludeSender}`,
        `"meta" : ${meta}`,
        `"data":${data}`,
        ...(messageId === '' ? [] : [`"message_id":${JSON.stringify(messageId)}`]),
        ...(key === undefined ? [] : [`"key":${JSON.stringify(key.key)},"life_ms":${key.lifeMs}`]),
        ...(ephemeral ? ['"store":false'] : []),
      ];
      const [publication, ...others] = publicationsOf(`{${members.join()}}`);
      expect(others).toEqual([]);
      const isString = data.startsWith('"');
      expect(publication).toEqual({
        ...{ channel, sender, meta, excludeSender, messageId, ephemeral, number: 0, timeMs: 0 },
        keyed: key,
        kind: isString ? 'text' : 'json',
        payload: new Uint8Array(Buffer.from(isString ? JSON.parse(data) : data)),
      });
    }),
  );
});

/** Returns the publications that a request becomes, from the frames that are published. */
function publicationsOf(request: string): native.Publication[] {
  const published: native.Publication[] = [];
  const peer: Partial<Requests> = {
    id: 1,
    ensureOpen: () => {},
    systemChannelError: () => undefined,
    publish: (publication, frame) => {
      const { payload, ...read } = native.decodePublication(frame);
      expect({ ...read, payload: Uint8Array.from(payload) }).toEqual({ ...publication });
      published.push({ ...read, payload: Uint8Array.from(payload) });
    },
  };
  const events = new JsonEvents(FRAME_BYTES_MAX);
  const dialect = new JsonDialect(peer as Requests, { events, frameBytesMax: FRAME_BYTES_MAX });
  const body = Buffer.from(request);
  const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), body]);
  dialect.receive(frame, 0, frame.length);
  return published;
}
