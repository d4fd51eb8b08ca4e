<?php
// Decodes and encodes values with PHP, for php-oracle.test.ts. Reads and writes records: a length
// (4 bytes big-endian), then that number of bytes.
//
//   echo:     for each record, a serialized value: serialize(unserialize(it)), and it in JSON.
//   generate: random values, serialized; each in JSON; and what json_decode returns for that,
//             serialized.

const JSON_FLAGS = JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS;
const TEXTS = ['', 'a', '5', '-5', '05', '-0', '9223372036854775807', '9223372036854775808', '-9223372036854775808',
    '__proto__', 'constructor', "\0", "a\"b;\n", 'é', '日本', '😀', "\u{2028}", "\xff", "\xc3", "\xed\xa0\x80"];
const INTEGERS = [0, 1, -1, 9007199254740991, 9007199254740992, -9007199254740993, PHP_INT_MAX, PHP_INT_MIN];
const FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1e15, 1e16, 1e17, 1e18, 1e25, 1e100, 1e-4, 1e-5, 1.5e-7, 5e-324,
    1.7976931348623157e308, INF, -INF, NAN];

function record(string $bytes): string
{
    return pack('N', strlen($bytes)) . $bytes;
}

/** Empty where JSON cannot say it. */
function json(mixed $value): string
{
    $text = json_encode($value, JSON_FLAGS);
    return $text === false ? '' : $text;
}

function randomFloat(): float
{
    $float = unpack('E', pack('N', mt_rand(0, 0xffffffff)) . pack('N', mt_rand(0, 0xffffffff)))[1];
    return match (mt_rand(0, 3)) {
        0 => FLOATS[mt_rand(0, count(FLOATS) - 1)],
        1 => $float,
        2 => mt_rand(-1000000, 1000000) / 100,
        default => mt_rand(-99, 99) * 10.0 ** mt_rand(-30, 30),
    };
}

function randomText(): string
{
    if (mt_rand(0, 1) === 0) return TEXTS[mt_rand(0, count(TEXTS) - 1)];
    $text = '';
    for ($left = mt_rand(0, 12); $left > 0; $left--) {
        $codePoint = mt_rand(0, 3) === 0 ? mt_rand(0x80, 0xd7ff) : mt_rand(0, 0x7f);
        $text .= json_decode(sprintf('"\u%04x"', $codePoint)); // mbstring may be missing.
    }
    return $text;
}

function randomInteger(): int
{
    return mt_rand(0, 1) === 0 ? mt_rand(-1000, 1000) : INTEGERS[mt_rand(0, count(INTEGERS) - 1)];
}

function randomValue(int $depth): mixed
{
    switch (mt_rand(0, $depth > 0 ? 6 : 4)) {
        case 0: return null;
        case 1: return mt_rand(0, 1) === 1;
        case 2: return randomInteger();
        case 3: return randomFloat();
        case 4: return randomText();
        default:
            $array = [];
            $isList = mt_rand(0, 1) === 0;
            for ($left = mt_rand(0, 5); $left > 0; $left--) {
                $value = randomValue($depth - 1);
                if ($isList) $array[] = $value;
                else $array[mt_rand(0, 2) === 0 ? randomInteger() : randomText()] = $value;
            }
            return $array;
    }
}

$output = '';
if ($argv[1] === 'echo') {
    $input = stream_get_contents(STDIN);
    for ($at = 0; $at < strlen($input); $at += 4 + $length) {
        $length = unpack('N', $input, $at)[1];
        $bytes = substr($input, $at + 4, $length);
        $value = unserialize($bytes, ['allowed_classes' => false]);
        $output .= record(serialize($value)) . record(json($value));
    }
} else {
    mt_srand((int) $argv[2]);
    for ($left = (int) $argv[3]; $left > 0; $left--) {
        $value = randomValue(4);
        $json = json($value);
        $output .= record(serialize($value)) . record($json) . record($json === '' ? '' : serialize(json_decode($json, true)));
    }
}
fwrite(STDOUT, $output);
