/** Two tiers: the quick one by default, the long one (`*.slow.test.ts`) with `SLOW=1` and in CI. */
import { defineConfig } from 'vitest/config';

const slow = process.env.SLOW === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: slow ? [] : ['test/**/*.slow.test.ts'],
    pool: 'forks',
    testTimeout: slow ? 120_000 : 20_000,
    hookTimeout: 60_000,
  },
});
