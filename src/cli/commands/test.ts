/** `test`: everything that `npm test` does, by calling it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { definePassThrough } from '../command.ts';
import { PROJECT_ROOT } from '../project.ts';
import { run } from '../run.ts';

export const test = definePassThrough({
  name: 'test',
  summary: 'Run the checks (types, style, dependency rules) and the tests.',
  details: `The same as npm test. Arguments go to vitest, for example:
  ./openbank test test/domain
  ./openbank test -t 'overdraft'`,
  positionals: ['[vitest arguments]'],
  run(args) {
    if (!existsSync(join(PROJECT_ROOT, 'node_modules/.bin/vitest'))) {
      throw new CliError('The development packages are missing; run npm ci in the project directory.');
    }
    // V8 counts coverage wrongly in code that comes from the compile cache.
    const env = { ...process.env, NODE_COMPILE_CACHE: undefined };
    return run('npm', ['--silent', 'test', '--', ...args], env);
  },
});
