/** Words on the terminal: colours that respect NO_COLOR and pipes, aligned columns, human figures, a question. */
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { displayWidth } from './display-width.ts';

/** Colours text for stdout; a pipe or NO_COLOR gets it as it is. */
export function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** Writes lines to stdout. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Writes a value as JSON for scripts. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Pads cells so that columns line up; `right` holds the columns of figures. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  { indent = 0, right = [] as readonly number[] } = {},
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, right.includes(column)))
      .join('  ')
      .trimEnd();
  return rows.map((row) => ' '.repeat(indent) + line(row)).join('\n');
}

function pad(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - displayWidth(cell));
  return right ? space + cell : cell + space;
}

/** `1234567` becomes `1,234,567`. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** A size such as `83.4 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

/** A duration in its two largest units, such as `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** Whether there is a person who can answer a question. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Asks a yes/no question; anything but yes is no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await Promise.race([
      terminal.question(`${question} [y/N] `),
      new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined))),
    ]);
    // Ctrl-D and Ctrl-C leave the cursor behind the question.
    if (answer === undefined) print('');
    return /^y(es)?$/i.test(answer?.trim() ?? '');
  } finally {
    terminal.close();
  }
}
