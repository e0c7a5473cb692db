/**
 * Two tiers. The quick one is the default: files that share their workers, on every core. `SLOW=1`, as in CI, runs it with
 * many more property runs and with all that it only samples, and after it the long one (`*.slow.test.ts`): one file at a
 * time, each in a process of its own, for those kill and measure processes.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const slow = process.env.SLOW === '1';
// Workers and child processes read the service's sources again and again; the cache saves them half of that.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'openbank-test-compile-cache');

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: slow ? 120_000 : 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.slow.test.ts'],
          isolate: false,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      ...(slow
        ? [
            {
              extends: true as const,
              test: {
                name: 'slow',
                include: ['test/**/*.slow.test.ts'],
                maxWorkers: 1,
                sequence: { groupOrder: 1 },
              },
            },
          ]
        : []),
    ],
  },
});
