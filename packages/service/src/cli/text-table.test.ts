import { expect, test } from 'vitest';
import { startTable } from './start-table.ts';
import { textTable } from './text-table.ts';

test('columns are aligned, numbers to the right, and a missing cell is a dash', () => {
  const rows = [
    ['a', 5, undefined],
    ['long name', 12_345, ''],
    ['b', undefined, 'x'],
  ];
  expect(textTable(['name', 'sent', 'note'], rows)).toBe(
    ['name        sent  note', 'a              5  -', 'long name  12345  -', 'b              -  x'].join(
      '\n',
    ),
  );
});

test('without rows there are the names of the columns; missing cells do not matter', () => {
  expect(textTable(['a', 'b'], [])).toBe('a  b');
  expect(textTable(['a', 'b'], [['x']])).toBe('a  b\nx  -');
});

test('control characters in cells cannot draw on the terminal', () => {
  expect(textTable(['a'], [['\u001b[2J\n']])).toBe('a\n\\x1b[2J\\n');
});

test('the start table of the origin', () => {
  const rows = [{ worker: 'ChannelHub', listen: 'frame://127.0.0.1:2206', processes: 1 }];
  expect(startTable(rows, 'root')).toBe(
    [
      'user  worker      listen                  processes  status',
      'root  ChannelHub  frame://127.0.0.1:2206          1  [OK]',
      'Press Ctrl-C to quit. Start success.',
    ].join('\n'),
  );
  expect(startTable(rows)).toMatch(/^\S+ +ChannelHub/m);
});
