import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { concat } from '../../testing/splits.ts';
import { frameLength } from '../frame.ts';
import { encodeText } from '../text.ts';
import { decodePhp } from './decode.ts';
import { encodePhp } from './encode.ts';
import { fromJson } from './from-json.ts';
import { PhpArray, type PhpKey, type PhpValue } from './php-array.ts';
import { PhpFloat } from './php-float.ts';
import { toJson } from './to-json.ts';

const PHP = 'php';
const SCRIPT = fileURLToPath(new URL('php-oracle.php', import.meta.url));
const VALUES = 100_000;
const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

// Without ini files, because one may set serialize_precision.
function runPhp(args: readonly string[], input: Uint8Array = new Uint8Array(0)) {
  return spawnSync(PHP, ['-n', ...args], { input, maxBuffer: OUTPUT_BYTES_MAX });
}

const version = runPhp(['-r', 'echo PHP_VERSION_ID;']);
const hasPhp = version.status === 0 && Number(version.stdout.toString()) >= 80_000;
// Without PHP these tests are skipped. CI has it, so that the codec is compared with PHP itself.
const isSkipped = !hasPhp && !process.env['CI'];

function oracle(...args: readonly string[]): (input?: Uint8Array) => Uint8Array[] {
  return (input) => {
    const { status, stdout, stderr, error } = runPhp([SCRIPT, ...args], input);
    // PHP writes its errors to stdout.
    expect(status, error?.message ?? `${stderr}${stdout}`.slice(0, 1_000)).toBe(0);
    const records: Uint8Array[] = [];
    for (let at = 0; at < stdout.length; ) {
      const end = at + 4 + frameLength(stdout, at);
      records.push(stdout.subarray(at + 4, end));
      at = end;
    }
    return records;
  };
}

function recordOf(bytes: Uint8Array): Uint8Array {
  return concat([
    Uint8Array.of(bytes.length >>> 24, bytes.length >>> 16, bytes.length >>> 8, bytes.length),
    bytes,
  ]);
}

/** Returns one readable character per byte, for comparisons. */
function latin1(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}

/** mulberry32: the same values for the same seed, and fast. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INTEGERS = [0, 1, -1, 2 ** 53 - 1, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 1_000_000];
const FLOATS = [
  0,
  -0,
  1,
  1e15,
  1e16,
  1e17,
  1e18,
  1e25,
  1e-4,
  1e-5,
  5e-324,
  Number.MAX_VALUE,
  Infinity,
  -Infinity,
  NaN,
];
const TEXTS = [
  '',
  'a',
  '5',
  '-5',
  '05',
  '-0',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '__proto__',
  'toString',
  '\0',
  '"};',
  'é',
  '日本',
  '😀',
  '\ud800',
  '\udc00x',
  '\u2028',
];

function generator(seed: number) {
  const random = randomNumbers(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const oneOf = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const bits = new DataView(new ArrayBuffer(8));

  function float(): number {
    if (below(3) === 0) return oneOf(FLOATS);
    if (below(2) === 0) return below(2_000_000) / 1_000 - 1_000;
    bits.setUint32(0, below(2 ** 32));
    bits.setUint32(4, below(2 ** 32));
    return bits.getFloat64(0);
  }

  function text(): string | Uint8Array {
    if (below(2) === 0) return oneOf(TEXTS);
    const bytes = Uint8Array.from({ length: below(12) }, () => below(256));
    return below(2) === 0 ? bytes : String.fromCharCode(...bytes);
  }

  function key(): PhpKey | string {
    return below(3) === 0 ? oneOf(INTEGERS) : below(3) === 0 ? below(5) : text();
  }

  function value(depthLeft: number): PhpValue {
    switch (below(depthLeft > 0 ? 7 : 5)) {
      case 0:
        return oneOf([null, true, false]);
      case 1:
        return below(2) === 0 ? oneOf(INTEGERS) : below(2_000) - 1_000;
      case 2:
        return new PhpFloat(float());
      case 3:
        return float();
      case 4:
        return text();
      case 5:
        return PhpArray.list(Array.from({ length: below(5) }, () => value(depthLeft - 1)));
      default: {
        const array = new PhpArray();
        for (let left = below(6); left > 0; left--) array.set(key(), value(depthLeft - 1));
        return array;
      }
    }
  }

  return () => value(4);
}

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe.skipIf(isSkipped)(
  `beside PHP itself, FUZZ_SEED=${seed}${isSkipped ? ' (skipped: no php of version 8 here)' : ''}`,
  () => {
    test('encoded values are those that PHP writes itself', () => {
      const next = generator(seed);
      const encoded = Array.from({ length: VALUES }, () => encodePhp(next()));
      const answers = oracle('echo')(concat(encoded.map(recordOf)));
      expect(answers.length).toBe(2 * VALUES);
      let inJson = 0;
      for (const [index, bytes] of encoded.entries()) {
        const written = latin1(bytes);
        const decoded = decodePhp(bytes);
        const json = toJson(decoded);
        // Assertions cost more than all the rest, so there is one per difference.
        if (latin1(answers[2 * index]) !== written) expect(latin1(answers[2 * index])).toBe(written);
        if (latin1(encodePhp(decoded)) !== written) expect(latin1(encodePhp(decoded))).toBe(written);
        const inPhp = Buffer.from(answers[2 * index + 1] ?? []).toString();
        if (json.lossy > 0 !== (inPhp === '')) expect(`${json.lossy} ${json.text}`).toBe(inPhp);
        if (json.lossy > 0) continue;
        inJson += 1;
        if (json.text !== inPhp) expect(json.text).toBe(inPhp);
      }
      expect(inJson).toBeGreaterThan(VALUES / 2);
    });

    test('values of PHP come back as the same bytes, and as the same JSON', () => {
      const answers = oracle('generate', String(seed), String(VALUES))();
      expect(answers.length).toBe(3 * VALUES);
      let inJson = 0;
      for (let index = 0; index < answers.length; index += 3) {
        const written = latin1(answers[index]);
        const decoded = decodePhp(answers[index] ?? new Uint8Array(0));
        if (latin1(encodePhp(decoded)) !== written) expect(latin1(encodePhp(decoded))).toBe(written);
        const json = toJson(decoded);
        const inPhp = Buffer.from(answers[index + 1] ?? []).toString();
        if (json.lossy > 0 !== (inPhp === '')) expect(`${json.lossy} ${json.text}`).toBe(inPhp);
        if (json.lossy > 0) continue;
        inJson += 1;
        if (json.text !== inPhp) expect(json.text).toBe(inPhp);
        const back = latin1(encodePhp(fromJson(inPhp)));
        if (back !== latin1(answers[index + 2])) expect(back).toBe(latin1(answers[index + 2]));
      }
      expect(inJson).toBeGreaterThan(VALUES / 2);
    });

    test('keys become integers as in PHP', () => {
      const keys = TEXTS.filter((text) => !/[\ud800-\udfff]/.test(text)).map(encodeText);
      const array = new PhpArray();
      for (const key of keys) array.set(key, null);
      const raw = concat([
        encodeText(`a:${keys.length}:{`),
        ...keys.flatMap((key) => [encodePhp(key), encodeText('N;')]),
        encodeText('}'),
      ]);
      const [answer] = oracle('echo')(recordOf(raw));
      expect(latin1(encodePhp(decodePhp(raw)))).toBe(latin1(answer));
      expect(latin1(encodePhp(array))).toBe(latin1(answer));
    });
  },
);
