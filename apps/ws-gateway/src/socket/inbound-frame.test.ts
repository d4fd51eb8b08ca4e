import { clientFrame } from '@groupcast/testkit/in-process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { InboundFrameReader } from './inbound-frame.ts';

const FIN_TEXT = 0x81;
const FIN_PONG = 0x8a;
const ANY_LENGTH = 1024 * 1024;

const reader = new InboundFrameReader();

function look(chunk: Buffer, at = 0, chunkBytes: number = chunk.length): string {
  return reader.look(chunk, at, chunkBytes, ANY_LENGTH);
}

/** Of ws, whose declared types do not have it. */
const SENDER: { frame(data: Buffer, options: object): Buffer[] } = Reflect.get(ws, 'Sender');

function masked(opcode: number, payload: string | Uint8Array): Buffer {
  const options = { fin: true, mask: true, opcode, readOnly: true, rsv1: false };
  return Buffer.concat(SENDER.frame(Buffer.from(payload), options));
}

describe('the examples of RFC 6455, section 5.7', () => {
  test('a masked text', () => {
    const frame = Buffer.from('818537fa213d7f9f4d5158', 'hex');
    expect(look(frame)).toBe('text');
    expect(reader.end).toBe(11);
    expect(reader.text(frame)).toBe('Hello');
  });

  test('a masked pong', () => {
    const frame = Buffer.from('8a8537fa213d7f9f4d5158', 'hex');
    expect(look(frame)).toBe('pong');
    expect(reader.end).toBe(11);
  });

  test.each([
    ['an unmasked text', '810548656c6c6f'],
    ['the first fragment of an unmasked text', '010348656c'],
    ['an unmasked ping', '890548656c6c6f'],
  ])('%s is for others', (_what, hex) => {
    expect(look(Buffer.from(hex, 'hex'))).toBe('other');
  });
});

describe('how long it is', () => {
  test.each([
    [0, '8180', 6],
    [1, '8181', 7],
    [125, '81fd', 131],
    [126, '81fe007e', 134],
    [127, '81fe007f', 135],
    [65_535, '81feffff', 65_543],
  ])('a text of %i bytes begins with %s', (bytes, header, end) => {
    const text = 'x'.repeat(bytes);
    const frame = masked(1, text);
    expect(frame.toString('hex', 0, header.length / 2)).toBe(header);
    expect(look(frame)).toBe('text');
    expect(reader.end).toBe(end);
    expect(reader.text(frame) === text).toBe(true);
  });

  test('a text of 65536 bytes is for others, as soon as its length is seen', () => {
    const frame = masked(1, 'x'.repeat(65_536));
    expect(look(frame, 0, 1)).toBe('partial');
    for (const bytes of [2, 3, 13, 14, 15, frame.length]) expect(look(frame, 0, bytes)).toBe('other');
  });

  test('a text may be as long as the limit and no longer, and that is seen before it is there', () => {
    for (const max of [5, 125, 126, 1_000]) {
      const most = masked(1, 'x'.repeat(max));
      expect(reader.look(most, 0, most.length, max)).toBe('text');
      const more = masked(1, 'x'.repeat(max + 1));
      expect(reader.look(more, 0, more.length, max)).toBe('other');
      expect(reader.look(more, 0, 4, max)).toBe(max + 1 > 125 ? 'partial' : 'other');
      expect(reader.look(more, 0, 8, max)).toBe('other');
    }
  });

  test('a length of 16 bits that 7 would hold is read as ws reads it', () => {
    const frame = Buffer.concat([Buffer.from('81fe000500000000', 'hex'), Buffer.from('Hello')]);
    expect(look(frame)).toBe('text');
    expect(reader.end).toBe(13);
    expect(reader.text(frame)).toBe('Hello');
  });
});

test.each([0, 1, 2, 3, 4, 5, 125, 126, 127, 1_000])(
  'a text of %i bytes that is cut anywhere is the beginning of one',
  (bytes) => {
    const text = 'abcdefghij'.repeat(100).slice(0, bytes);
    const frame = masked(1, text);
    for (let cut = 0; cut < frame.length; cut++) expect(look(frame, 0, cut)).toBe('partial');
    expect(look(frame)).toBe('text');
    expect(reader.text(frame)).toBe(text);
  },
);

test.each([0, 1, 125])('a pong of %i bytes that is cut anywhere is the beginning of one', (bytes) => {
  const frame = masked(10, 'p'.repeat(bytes));
  for (let cut = 0; cut < frame.length; cut++) expect(look(frame, 0, cut)).toBe('partial');
  expect(look(frame)).toBe('pong');
  expect(reader.end).toBe(frame.length);
});

test('what lies behind the bytes that were read is not looked at', () => {
  const frame = masked(1, 'Hello');
  const chunk = Buffer.concat([frame, frame]);
  expect(look(chunk, 0, frame.length - 1)).toBe('partial');
  expect(look(chunk, frame.length, frame.length + 1)).toBe('partial');
  expect(look(chunk, frame.length, chunk.length)).toBe('text');
  expect(reader.end).toBe(chunk.length);
});

describe('everything else is for others', () => {
  test.each(
    Array.from({ length: 256 }, (_, first) => first).filter(
      (first) => first !== FIN_TEXT && first !== FIN_PONG,
    ),
  )('a first byte of %i', (first) => {
    expect(look(clientFrame(first, 'Hello'))).toBe('other');
    expect(look(clientFrame(first, ''))).toBe('other');
    expect(look(Buffer.from([first, 0x80]))).toBe('other');
  });

  test.each([FIN_TEXT, FIN_PONG])(
    'a frame that begins with %i and is not masked, whatever its length',
    (first) => {
      for (let second = 0; second < 0x80; second++) {
        expect(look(Buffer.concat([Buffer.from([first, second]), Buffer.alloc(200)]))).toBe('other');
      }
    },
  );

  test.each([126, 127])('a pong of %i, which is too long for one', (second) => {
    const chunk = Buffer.concat([Buffer.from([FIN_PONG, 0x80 | second]), Buffer.alloc(200)]);
    expect(look(chunk)).toBe('other');
    expect(look(chunk, 0, 2)).toBe('other');
  });
});

describe('a text that is not UTF-8', () => {
  test.each([
    ['a lone continuation', '80'],
    ['an overlong slash', 'c0af'],
    ['a surrogate', 'eda080'],
    ['a sequence cut short', '48656ce282'],
    ['beyond U+10FFFF', 'f4908080'],
    ['a byte that is never one', '61626364ff65666768'],
  ])('%s leaves the chunk as it was', (_what, hex) => {
    const frame = masked(1, Buffer.from(hex, 'hex'));
    const chunk = Buffer.concat([Buffer.from('before'), frame, Buffer.from('behind')]);
    const before = Buffer.from(chunk);
    expect(look(chunk, 6)).toBe('text');
    expect(reader.text(chunk)).toBeUndefined();
    expect(chunk.equals(before)).toBe(true);
  });
});

test.each([
  '',
  '\u0000',
  '\u007f',
  '\u0080',
  'ÿ',
  '€',
  '\ufeffmark',
  '\u{10ffff}',
  '\ufffd',
  'zwölf Boxkämpfer',
  '👩‍👩‍👧',
])('the text %j is read as it was written', (text) => {
  const frame = masked(1, text);
  expect(look(frame)).toBe('text');
  expect(reader.text(frame)).toBe(text);
});

/** Texts of all kinds, in lengths that cover the forms of a length and the phases of the mask. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'binary-ascii', maxLength: 300 }),
  fc
    .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 400 }))
    .map(([unit, count]) => unit.repeat(count)),
);

test('what the sender of ws masks is read back, wherever in a chunk it lies, and nothing beside it is touched', () => {
  fc.assert(
    fc.property(
      texts,
      fc.uint8Array({ maxLength: 70 }),
      fc.uint8Array({ maxLength: 70 }),
      (text, before, behind) => {
        const frame = masked(1, text);
        const chunk = Buffer.concat([before, frame, behind]);
        expect(reader.look(chunk, before.length, chunk.length, ANY_LENGTH)).toBe('text');
        const { end } = reader;
        expect(end).toBe(before.length + frame.length);
        expect(reader.text(chunk)).toBe(text);
        expect(chunk.subarray(0, before.length).equals(before)).toBe(true);
        expect(chunk.subarray(end).equals(behind)).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('frames that lie one behind another are read one after another', () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 8 }), (all) => {
      const chunk = Buffer.concat(all.flatMap((text) => [masked(1, text), masked(10, 'p')]));
      const read: (string | undefined)[] = [];
      for (let at = 0; at < chunk.length; at = reader.end) {
        const kind = reader.look(chunk, at, chunk.length, ANY_LENGTH);
        expect(kind === 'text' || kind === 'pong').toBe(true);
        read.push(kind === 'text' ? reader.text(chunk) : kind);
      }
      expect(read).toEqual(all.flatMap((text) => [text, 'pong']));
    }),
  );
});
