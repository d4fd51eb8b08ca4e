import { printable } from '../log/printable.ts';

/** Content of a cell; undefined is shown as `-`. */
export type Cell = string | number | undefined;

const GAP = '  ';
const MISSING = '-';

/**
 * Lays out a table for a terminal: a line of column names, then one line a row, columns aligned and
 * two spaces apart, numbers to the right. Control characters are escaped: text in a status response
 * may come from any client.
 */
export function textTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => columns.map((_, column) => cellText(row[column])));
  const layout = columns.map((title, column) => ({
    width: Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)),
    right: isNumeric(rows.map((row) => row[column])),
  }));
  const line = (cells: readonly string[]): string =>
    layout
      .map(({ width, right }, column) => {
        const cell = cells[column] ?? '';
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  return [columns, ...texts].map(line).join('\n');
}

function cellText(cell: Cell): string {
  return cell === undefined || cell === '' ? MISSING : printable(String(cell));
}

/** Returns whether a column has numbers only, apart from gaps. */
function isNumeric(cells: readonly Cell[]): boolean {
  const present = cells.filter((cell) => cell !== undefined);
  return present.length > 0 && present.every((cell) => typeof cell === 'number');
}
