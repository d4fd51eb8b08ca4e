<?php
// Random values with content that is easily corrupted: bytes that are no UTF-8, floats, keys that
// look like integers. mt_srand makes them reproducible.

const RANDOM_TEXTS = ['', 'a', '5', '-5', '05', '-0', '9223372036854775807', '9223372036854775808', 'a"b;}', "\0", "\n",
    'これはメッセージです', '😀', "\xff\xfe", "\xc3", "\xed\xa0\x80", '__proto__'];
const RANDOM_INTEGERS = [0, 1, -1, 9007199254740993, PHP_INT_MAX, PHP_INT_MIN];
const RANDOM_FLOATS = [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e17, 1e25, 1e-7, 5e-324, 1.7976931348623157e308, INF, -INF, NAN];

function randomOf(array $values): mixed
{
    return $values[mt_rand(0, count($values) - 1)];
}

function randomText(): string
{
    if (mt_rand(0, 1) === 0) return randomOf(RANDOM_TEXTS);
    $text = '';
    for ($left = mt_rand(0, 30); $left > 0; $left--) $text .= chr(mt_rand(0, 255));
    return $text;
}

function randomInteger(): int
{
    return mt_rand(0, 1) === 0 ? mt_rand(-1000, 1000) : randomOf(RANDOM_INTEGERS);
}

function randomFloat(): float
{
    if (mt_rand(0, 1) === 0) return randomOf(RANDOM_FLOATS);
    return unpack('E', pack('NN', mt_rand(0, 0xffffffff), mt_rand(0, 0xffffffff)))[1];
}

function randomArray(int $depth): array
{
    $array = [];
    $isList = mt_rand(0, 1) === 0;
    for ($left = mt_rand(0, 5); $left > 0; $left--) {
        $value = randomValue($depth);
        if ($isList) $array[] = $value;
        else $array[mt_rand(0, 2) === 0 ? mt_rand(-9, 9) : randomText()] = $value;
    }
    return $array;
}

function randomValue(int $depth = 4): mixed
{
    return match (mt_rand(0, $depth > 0 ? 6 : 4)) {
        0 => null,
        1 => mt_rand(0, 1) === 1,
        2 => randomInteger(),
        3 => randomFloat(),
        4 => randomText(),
        default => randomArray($depth - 1),
    };
}
