/** What a start says when it went well: where to look, and what to do next. */
import { alignColumns, paint, print } from './terminal.ts';

/** A place to look at and its address or path. */
export type Place = readonly [name: string, where: string];

/** Prints the sentence, the places, and the next commands, which take `flags`, too. */
export function welcome(sentence: string, places: readonly Place[], flags = ''): void {
  print(`${paint('green', '●')} ${sentence}`, '');
  const rows = places.map(([name, where]) => [name, where.startsWith('http') ? paint('cyan', where) : where]);
  print(alignColumns(rows, { indent: 2 }), '', 'Next:', '');
  const next = [
    ['./openbank demo', 'fill the bank with customers and transactions'],
    [`./openbank status${flags}`, 'see how it is doing'],
    [`./openbank logs -f${flags}`, 'follow the log'],
    [`./openbank stop${flags}`, 'stop it'],
  ];
  print(alignColumns(next, { indent: 2 }));
}
