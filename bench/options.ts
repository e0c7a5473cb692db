/** What the command line of the benchmarks asks for. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT_ROOT } from './servers.ts';

export const GROUPS = [
  'deposits',
  'hot',
  'batches',
  'transfers',
  'get',
  'statement',
  'snapshots',
  'time-travel',
  'lag',
  'rebuild',
  'rebuild-beside-load',
  'move',
  'start',
  'scale',
  'keyed',
  'kurrentdb',
  'mongodb',
] as const;
export type Group = (typeof GROUPS)[number];

export interface Options {
  readonly only: ReadonlySet<Group>;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly json: string;
  readonly dir: string;
}

export const USAGE = `Usage: ./openbank bench [--quick] [--only ${GROUPS.join(',')}] [--rounds N] [--seconds N] [--json FILE] [--dir DIR]

  --quick      fewer and shorter rounds, a tenth of the events
  --only       only these groups of measurements, separated by commas; kurrentdb needs KURRENTDB_TEST_URL, a connection string
  --rounds     interleaved rounds of each load measurement (1 to 20; default 5, quick 3)
  --seconds    length of one load run (1 to 30; default 4, quick 2)
  --json       where all raw figures go (default bench/results/latest.json)
  --dir        where databases are written and deleted again (default .openbank/bench)
`;

/** An unusable argument; its message is one sentence. */
export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const quick = values.quick === true;
  return {
    only: groups(values.only),
    quick,
    rounds: wholeNumber('--rounds', values.rounds, quick ? 3 : 5, 20),
    seconds: wholeNumber('--seconds', values.seconds, quick ? 2 : 4, 30),
    json: values.json ?? join(PROJECT_ROOT, 'bench/results/latest.json'),
    dir: values.dir ?? join(PROJECT_ROOT, '.openbank/bench'),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const options = {
      quick: flag,
      help: flag,
      only: text,
      rounds: text,
      seconds: text,
      json: text,
      dir: text,
    };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function groups(list: string | undefined): ReadonlySet<Group> {
  if (list === undefined) return new Set(GROUPS);
  const names = list.split(',');
  const unknown = names.find((name) => !(GROUPS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`--only knows ${GROUPS.join(', ')}, but not '${unknown}'.`);
  return new Set(names as Group[]);
}

function wholeNumber(name: string, text: string | undefined, fallback: number, maximum: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return value;
  throw new UsageError(`${name} takes a whole number from 1 to ${maximum}.`);
}
