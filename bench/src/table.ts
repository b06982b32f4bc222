/** A table of texts; the first column is words and stands left, all others stand right. */
export interface Table {
  head: string[];
  rows: string[][];
}

/** A table with its heading, and what it means. */
export interface Section {
  title: string;
  text: string;
  table: Table;
}

/** Aligned with spaces, for a terminal. */
export function toText(table: Table): string {
  const lines = [table.head, ...table.rows];
  const widths = table.head.map((_, column) => Math.max(...lines.map((line) => width(line[column]))));
  const render = (line: string[]) =>
    line
      .map((cell, column) => pad(cell, widths[column]!, column))
      .join('  ')
      .trimEnd();
  return [render(table.head), widths.map((size) => '─'.repeat(size)).join('  '), ...table.rows.map(render)].join('\n');
}

/** As Markdown. */
export function toMarkdown(table: Table): string {
  const render = (line: string[]) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = table.head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [table.head, rule, ...table.rows].map(render).join('\n');
}

/** `digits` behind the point; a dash for what was not measured. */
export const figure = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);

const width = (cell: string | undefined): number => [...(cell ?? '')].length;

function pad(cell: string, size: number, column: number): string {
  const fill = ' '.repeat(size - width(cell));
  return column === 0 ? cell + fill : fill + cell;
}
