/** `bench`: runs the benchmarks. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { definePassThrough } from '../command.ts';
import { NODE_FLAGS, PROJECT_ROOT } from '../project.ts';
import { run } from '../run.ts';

export const bench = definePassThrough({
  name: 'bench',
  summary: 'Measure the bank on this machine.',
  details: 'Arguments go to bench/main.ts.',
  positionals: ['[benchmark arguments]'],
  run(args) {
    const entry = join(PROJECT_ROOT, 'bench/main.ts');
    if (!existsSync(entry))
      throw new CliError('This copy of OpenBank has no benchmarks (bench/main.ts is missing).');
    return run(process.execPath, [...NODE_FLAGS, entry, ...args]);
  },
});
