/** Two tiers: the quick one by default, the long one (`*.slow.test.ts`) with `SLOW=1` and in CI. */
import { defineConfig } from 'vitest/config';

const slow = process.env.SLOW === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: slow ? [] : ['test/**/*.slow.test.ts'],
    pool: 'forks',
    // Every core for the quick tier; the slow one kills and measures processes, and keeps one core for them.
    ...(slow ? {} : { maxWorkers: '100%' }),
    testTimeout: slow ? 120_000 : 20_000,
    hookTimeout: 60_000,
  },
});
