/** How far the read models are behind while deposits arrive as fast as the service takes them. */
import type { Row } from '../report.ts';
import { percentile } from '../statistics.ts';
import type { DepositRuns } from './deposits.ts';

export function lagRows(runs: DepositRuns): Row[] {
  const ages = (runs.get('service') ?? []).flatMap((run) => run.lagMs ?? []);
  return [
    { name: 'Projection lag under these deposits, p50', value: percentile(ages, 0.5), unit: 'ms' },
    {
      name: 'Projection lag, p99',
      value: percentile(ages, 0.99),
      unit: 'ms',
      target: { bound: 'at most', of: 'value', limit: 250 },
    },
    { name: 'Projection lag, max', value: percentile(ages, 1), unit: 'ms' },
  ];
}
